/** How a sweep names its dataset: the digest of its bytes, and its rows. Sends nothing. */
import { datasetDigest, encodeDataset, rowsOf, type TextDataset } from "../../data/dataset.ts";
import type { DatasetRef } from "../../protocol/sweep.ts";

export function datasetRefOf(dataset: TextDataset): { readonly bytes: Uint8Array; readonly ref: DatasetRef } {
  const bytes = encodeDataset(dataset);
  const rows = rowsOf(dataset);
  return { bytes, ref: { name: dataset.name, digest: datasetDigest(bytes), bytes: bytes.length, rows } };
}
