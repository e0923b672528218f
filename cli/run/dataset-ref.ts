/** How a sweep names its dataset: the digest of its bytes, and its rows. Sends nothing. */
import { datasetDigest, encodeDataset, type Dataset } from "../../data/dataset.ts";
import type { DatasetRef } from "../../protocol/sweep.ts";

export function datasetRefOf(dataset: Dataset): { readonly bytes: Uint8Array; readonly ref: DatasetRef } {
  const bytes = encodeDataset(dataset);
  const rows = {
    train: dataset.train.length,
    validation: dataset.validation.length,
    test: dataset.test.length,
  };
  return { bytes, ref: { name: dataset.name, digest: datasetDigest(bytes), bytes: bytes.length, rows } };
}
