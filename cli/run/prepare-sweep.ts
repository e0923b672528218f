/**
 * From a sweep file to a complete `SweepSpec` with its dataset in the mesh: reads the file, loads
 * and encodes the dataset, and puts its bytes there unless they are there already.
 */
import { readFile } from "node:fs/promises";
import { models } from "../../agent/task/table.ts";
import { datasetDigest, encodeDataset, type Dataset } from "../../data/dataset.ts";
import { loadDataset, type LoadReport } from "../../data/load.ts";
import { systemCode } from "../../mesh/private-file.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { DatasetRef, SweepSpec } from "../../protocol/sweep.ts";
import { formatBytes, plural, shortDigest } from "../print/figure.ts";
import { formatProblems } from "../sweep-file/problem.ts";
import type { SweepOverrides } from "../sweep-file/override.ts";
import { readSweepFile, type SweepFileResult } from "../sweep-file/read-sweep-file.ts";
import type { Terminal } from "../terminal.ts";
import { codeVersion } from "../code-version.ts";
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

/** The file's plan, or its problems; a file that cannot be read is a refusal. */
export async function planSweep(
  file: string,
  overrides: SweepOverrides,
  environment: Terminal["environment"],
): Promise<Outcome<SweepFileResult>> {
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
  return accept(readSweepFile({ file, text, environment, models, codeVersion, overrides }));
}

export async function prepareSweep(options: PrepareOptions): Promise<Outcome<SweepSpec>> {
  const read = await planSweep(options.file, options.overrides, options.environment);
  if (!read.ok) return read;
  if (!read.value.ok) return refuse("invalid", formatProblems(options.file, read.value.problems));
  const { plan } = read.value;
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
function emptySplit(file: string, dataset: Dataset): Outcome<never> | null {
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
  dataset: Dataset,
  { bus, mesh, progress }: PrepareOptions,
): Promise<Outcome<DatasetRef>> {
  const bytes = encodeDataset(dataset);
  const digest = datasetDigest(bytes);
  const rows = {
    train: dataset.train.length,
    validation: dataset.validation.length,
    test: dataset.test.length,
  };
  const what = `dataset ${dataset.name} ${shortDigest(digest)}: ${rows.train} train, ${rows.validation} validation, ${rows.test} test rows, ${plural(dataset.labels.length, "label")}`;
  const sent = await sendBlob(bus, mesh, bytes);
  if (!sent.ok) return sent;
  progress(
    `${what}; ${sent.value ? `${formatBytes(bytes.length)} sent to the mesh` : "in the mesh already"}`,
  );
  return accept({ name: dataset.name, digest, bytes: bytes.length, rows });
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
