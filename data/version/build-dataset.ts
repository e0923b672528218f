/**
 * From a declaration to a dataset version: one Parquet file, named as an artifact is. The same declaration and sources give
 * the same bytes in any folder, on any machine, with any number of threads. Nothing is fetched, nothing is published.
 */
import { mkdtemp, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { placeWhole } from "../../system/whole-file.ts";
import { planFault, type Declaration } from "../declaration/declaration.ts";
import { runPlan } from "../plan/run-plan.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { manifestOf } from "./version-manifest.ts";
import type { BadRow } from "../row/bad-row.ts";
import { engineRefusal, openEngine, type Engine } from "../engine/sql-engine.ts";
import { loadSources } from "../source/load-source.ts";
import { nameFile } from "../../artifact/name-artifact.ts";
import { finishPlan } from "./finish-plan.ts";
import { writeVersion } from "./write-version.ts";
import { makeFolder } from "../../system/make-folder.ts";

export interface BuildOptions {
  /** Where the version is put, and meanwhile what memory cannot hold: up to three times the sources. */
  readonly workDir: string;
  readonly threads?: number;
  readonly memoryMiB?: number;
  /** Called with what is being done: "loading", "transforming", "writing". */
  readonly progress?: (stage: BuildStage) => void;
}
export type BuildStage = "loading" | "transforming" | "writing";

/** What a person should know of a build; paths are whole here. */
export interface BuildReport {
  readonly badCount: number;
  /** The first of them. */
  readonly bad: readonly (BadRow & { readonly path: string })[];
  readonly latin1Lines: number;
  readonly leakedRows: number;
  readonly nearGroups: number | null;
  /** What is odd about the data, a sentence each, without a full stop. */
  readonly notes: readonly string[];
}

export interface BuiltVersion {
  readonly path: string;
  /** Of the file, as an artifact. */
  readonly digest: string;
  readonly bytes: number;
  readonly manifest: Manifest;
  readonly report: BuildReport;
}

const defaultThreads = 2;
const defaultMemoryMiB = 1024;
/** Sources larger than this are worked on in a file. */
const inMemoryBytesMax = 64 * bytesPerMiB;

export async function buildDataset(
  declaration: Declaration,
  options: BuildOptions,
): Promise<Outcome<BuiltVersion>> {
  const { progress = () => undefined } = options;
  return withEngine(declaration, options, async (engine, workDir) => {
    progress("loading");
    const loaded = await loadSources(engine, declaration, workDir);
    if (!loaded.ok) return loaded;
    await engine.lock();
    progress("transforming");
    const planned = await runPlan(engine, declaration, loaded.value);
    if (!planned.ok) return planned;
    const finished = await finishPlan(engine, declaration, loaded.value, planned.value);
    if (!finished.ok) return finished;
    const { bad, notes, output } = finished.value;
    progress("writing");
    const { leakedRows, nearGroups, relation } = planned.value;
    const manifest = await manifestOf(engine, {
      declaration,
      sources: loaded.value,
      planned: planned.value,
      bad,
      output,
    });
    const made = join(workDir, "version.parquet");
    await writeVersion(engine, relation, output.columns, manifest, made);
    const { digest } = await nameFile(made);
    const path = join(resolve(options.workDir), `${digest}.parquet`);
    await placeWhole(made, path);
    const { size } = await stat(path);
    const latin1Lines = loaded.value.reduce((sum, source) => sum + source.latin1Lines, 0);
    const { count: badCount, first } = bad;
    const told = first.map(({ row, path: file }) => ({ ...row, path: file }));
    const report = { badCount, bad: told, latin1Lines, leakedRows, nearGroups, notes };
    return accept({ path, digest, bytes: size, manifest, report });
  });
}

/** Runs with an engine of its own, in a folder of its own that is gone afterwards. What DuckDB throws is a refusal. */
export async function withEngine<T>(
  declaration: Declaration,
  options: BuildOptions,
  work: (engine: Engine, workDir: string) => Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const fault = planFault(declaration);
  if (fault !== null)
    return refuse("invalid", `step ${fault.index + 1}: ${fault.message}`, ["plan", fault.index]);
  await makeFolder(options.workDir);
  const workDir = await mkdtemp(join(resolve(options.workDir), "build-"));
  let engine: Engine | null = null;
  try {
    engine = await openEngine({
      workDir,
      threads: options.threads ?? defaultThreads,
      memoryMiB: options.memoryMiB ?? defaultMemoryMiB,
      onDisk: (await sourceBytes(declaration)) > inMemoryBytesMax,
    });
    return await work(engine, workDir);
  } catch (error) {
    return engineRefusal(error, `dataset ${declaration.name}`);
  } finally {
    engine?.close();
    await rm(workDir, { recursive: true, force: true });
  }
}

async function sourceBytes(declaration: Declaration): Promise<number> {
  let bytes = 0;
  for (const source of declaration.sources) {
    if (source.format === "embedded") continue;
    // A DVC pointer and a folder say nothing of what is behind them.
    if (source.path.endsWith(".dvc") || source.format === "folder") bytes += inMemoryBytesMax;
    else
      bytes += await stat(source.path).then(
        ({ size }) => size,
        () => 0,
      );
  }
  return bytes;
}
