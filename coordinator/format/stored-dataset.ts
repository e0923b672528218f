/** Datasets as they stand in the journal: how a sweep names one, and a version on record. The wire's forms: `protocol/dataset.ts`. */
import * as z from "zod";
import { storedCount, storedDigest, storedId } from "./stored-value.ts";

const rows = z.strictObject({ train: storedCount, validation: storedCount, test: storedCount });

export const storedDatasetRef = z.strictObject({
  name: storedId,
  digest: storedDigest,
  bytes: storedCount,
  rows,
});
export type StoredDatasetRef = z.infer<typeof storedDatasetRef>;

export const storedDatasetCheck = z.strictObject({
  failed: storedCount,
  warned: storedCount,
  sentences: z.array(z.string()),
});

export const storedDatasetVersion = z.strictObject({
  dataset: storedId,
  kind: z.enum(["text", "table"]),
  digest: storedDigest,
  bytes: storedCount,
  rows,
  labels: z.array(z.string()).nullable(),
  badRows: storedCount,
  recipe: storedDigest,
  trial: storedId.nullable(),
  check: storedDatasetCheck,
});
