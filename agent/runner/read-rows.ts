/** Datasets read into this process: trials of one sweep share theirs, and its tokens. It does not fetch them. */
import type { Dataset } from "../../data/row/dataset-rows.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";

const datasets = new Map<string, Dataset>();
const keptMax = 2;

export async function readDataset(path: string): Promise<Outcome<Dataset>> {
  const known = datasets.get(path);
  if (known !== undefined) return accept(known);
  // Loaded only here: what reads columns is heavy, and many jobs read no data.
  const { readVersion } = await import("../../data/manifest/read-version.ts");
  const read = await readVersion(path);
  if (!read.ok) return read;
  const oldest = datasets.keys().next();
  if (datasets.size >= keptMax && oldest.done !== true) datasets.delete(oldest.value);
  datasets.set(path, read.value);
  return read;
}
