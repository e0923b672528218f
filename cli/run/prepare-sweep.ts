/**
 * From a sweep file to a complete `SweepSpec` with its dataset in the mesh: reads the file, loads
 * and encodes the dataset, and puts its bytes there unless they are there already.
 */
import { readFile } from "node:fs/promises";
import { models } from "../../agent/task/table.ts";
import type { TextDataset } from "../../data/dataset.ts";
import { loadDataset, type LoadReport } from "../../data/load.ts";
import { systemCode } from "../../mesh/private-file.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { DatasetRef, SweepSpec } from "../../protocol/sweep.ts";
import { formatBytes, plural, shortDigest } from "../print/figure.ts";
import { formatProblems } from "../sweep-file/problem.ts";
import type { SweepOverrides } from "../sweep-file/override.ts";
import { readAnyFile, type AnyFileResult } from "../sweep-file/read-any-file.ts";
import type { SweepFileResult, SweepPlan } from "../sweep-file/read-sweep-file.ts";
import type { Terminal } from "../terminal.ts";
import { codeVersion } from "../code-version.ts";
import { datasetRefOf } from "./dataset-ref.ts";
import { sendBlob } from "./mesh-blob.ts";

export interface PrepareOptions {
  readonly file: string;
  readonly overrides: SweepOverrides;
  readonly environment: Terminal["environment"];
  readonly bus: Bus;
  readonly mesh: string;
  /** One line before each long step. */
  readonly progress: (line: string) => void;
}

/** What a sweep file of any kind says, or its problems; a file that cannot be read is a refusal. */
export async function readSweepAt(
  file: string,
  overrides: SweepOverrides,
  environment: Terminal["environment"],
): Promise<Outcome<AnyFileResult>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const code = systemCode(error);
    if (code === null) throw error;
    if (code === "ENOENT")
      return refuse(
        "unknown",
        `there is no file ${file}; give the path of a sweep file, such as examples/language-id.yaml`,
      );
    return refuse(
      "invalid",
      code === "EISDIR" ? `${file} is a folder, not a sweep file` : `${file} cannot be read (${code})`,
    );
  }
  return accept(readAnyFile({ file, text, environment, models, codeVersion, overrides }));
}

/** The plans of a file that trains models, or its problems; one that runs a command has none. */
export async function planSweep(
  file: string,
  overrides: SweepOverrides,
  environment: Terminal["environment"],
): Promise<Outcome<SweepFileResult>> {
  const read = await readSweepAt(file, overrides, environment);
  if (!read.ok) return read;
  if (!read.value.ok) return accept(read.value);
  const found = read.value.file;
  if (found.kind === "models") return accept({ ok: true, plan: found.plan, plans: found.plans });
  const message = `runs a command, which a mesh does not do; \`trialmesh sweep local ${file}\` runs it on this machine`;
  return accept({ ok: false, problems: [{ line: 1, field: [], message }] });
}

/** The one sweep of a file. */
export async function prepareSweep(options: PrepareOptions): Promise<Outcome<SweepSpec>> {
  const read = await plansOf(options);
  if (!read.ok) return read;
  const [plan, second] = read.value;
  if (plan !== undefined && second === undefined) return prepare(plan, options);
  return refuse(
    "invalid",
    `${options.file}: names ${read.value.length} datasets, one sweep for each; run it with \`trialmesh sweep run ${options.file}\``,
  );
}

/** Every sweep of a file, one for each of its datasets. */
export async function prepareSweeps(options: PrepareOptions): Promise<Outcome<readonly SweepSpec[]>> {
  const read = await plansOf(options);
  if (!read.ok) return read;
  const specs: SweepSpec[] = [];
  for (const plan of read.value) {
    const spec = await prepare(plan, options);
    if (!spec.ok) return spec;
    specs.push(spec.value);
  }
  return accept(specs);
}

async function plansOf(options: PrepareOptions): Promise<Outcome<readonly SweepPlan[]>> {
  const read = await planSweep(options.file, options.overrides, options.environment);
  if (!read.ok) return read;
  return read.value.ok
    ? accept(read.value.plans)
    : refuse("invalid", formatProblems(options.file, read.value.problems));
}

async function prepare(plan: SweepPlan, options: PrepareOptions): Promise<Outcome<SweepSpec>> {
  if (plan.dataset === null) return accept(plan.spec(null));
  const loaded = await loadDataset(plan.dataset);
  if (!loaded.ok) return loaded;
  sayReport(loaded.value.report, options.progress);
  const empty = emptySplit(options.file, loaded.value.dataset);
  if (empty !== null) return empty;
  const stored = await storeDataset(loaded.value.dataset, options);
  return stored.ok ? accept(plan.spec(stored.value)) : stored;
}

/** Told at launch, not trial by trial: without these rows nothing can be trained, or nothing judged. */
function emptySplit(file: string, dataset: TextDataset): Outcome<never> | null {
  for (const split of ["train", "validation"] as const) {
    if (dataset[split].length > 0) continue;
    return refuse(
      "invalid",
      `${file}: field dataset: the ${split} split of ${dataset.name} is empty (texts that differ only in case, spaces or digits count as one); give more rows, or a dev file`,
    );
  }
  return null;
}

async function storeDataset(
  dataset: TextDataset,
  { bus, mesh, progress }: PrepareOptions,
): Promise<Outcome<DatasetRef>> {
  const { bytes, ref } = datasetRefOf(dataset);
  const { digest, rows } = ref;
  const what = `dataset ${dataset.name} ${shortDigest(digest)}: ${rows.train} train, ${rows.validation} validation, ${rows.test} test rows, ${plural(dataset.labels.length, "label")}`;
  const sent = await sendBlob(bus, mesh, bytes);
  if (!sent.ok) return sent;
  progress(
    `${what}; ${sent.value ? `${formatBytes(bytes.length)} sent to the mesh` : "in the mesh already"}`,
  );
  return accept(ref);
}

function sayReport(report: LoadReport, progress: (line: string) => void): void {
  const [bad] = report.bad;
  if (bad !== undefined)
    progress(
      `dataset: ${plural(report.bad.length, "line")} left out, the first ${bad.file}:${bad.line} (${bad.reason})`,
    );
  if (report.latin1Lines > 0)
    progress(`dataset: ${plural(report.latin1Lines, "line")} read as ISO-8859-1, being no UTF-8`);
  if (report.leakedRows > 0)
    progress(
      `dataset: ${plural(report.leakedRows, "training row")} left out, since a held-out split has the same text`,
    );
}
