/**
 * From a dataset given in a sweep file to its texts in memory, by way of a version that is built and read back. For
 * benchmarks and tests, which need no version; whoever does builds it (`data/version/build-dataset.ts`).
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { buildDataset } from "../../data/version/build-dataset.ts";
import type { TextDataset } from "../../data/row/dataset-rows.ts";
import { declarationOf, type DatasetDeclaration } from "../../data/declaration/shorthand.ts";
import { readVersion } from "../../data/manifest/read-version.ts";

export interface LoadReport {
  /** Rejected lines, with the file they stand in; the first of them where there are many. */
  readonly bad: readonly { readonly file: string; readonly line: number; readonly reason: string }[];
  /** Lines read as ISO-8859-1. */
  readonly latin1Lines: number;
  /** Training rows dropped because a held-out split has the same text. */
  readonly leakedRows: number;
}

export interface LoadedDataset {
  readonly dataset: TextDataset;
  readonly report: LoadReport;
}

export async function loadDataset(declaration: DatasetDeclaration): Promise<Outcome<LoadedDataset>> {
  const workDir = await mkdtemp(join(tmpdir(), "trialmesh-dataset-"));
  try {
    const built = await buildDataset(declarationOf(declaration), { workDir });
    if (!built.ok) return built;
    const { path, report } = built.value;
    const read = await readVersion(path);
    if (!read.ok) return read;
    if (read.value.kind !== "text")
      return refuse("invalid", `dataset ${declaration.name} is no text with labels`);
    const { latin1Lines, leakedRows } = report;
    const bad = report.bad.map(({ path: file, line, reason }) => ({ file, line, reason }));
    return accept({ dataset: read.value, report: { bad, latin1Lines, leakedRows } });
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}
