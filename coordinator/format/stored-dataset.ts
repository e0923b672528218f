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

export const storedDatasetCheck = z.strictObject({
  failed: storedCount,
  warned: storedCount,
  sentences: z.array(z.string()),
});

/** What a sweep that builds a dataset has put on record once it is built. */
export const storedRecording = z.strictObject({
  dataset: storedId,
  recipe: storedDigest,
  expectations: storedDigest.nullable(),
});

/** What an agent says of a version it has built, beside its artifact. */
export const storedBuiltDataset = z.strictObject({
  dataset: storedId,
  kind: z.enum(["text", "table"]),
  rows,
  labels: z.array(z.string()).nullable(),
  badRows: storedCount,
  check: storedDatasetCheck.nullable(),
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
