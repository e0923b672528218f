/**
 * Datasets as the mesh knows them: a name, its versions, and for each the artifact that holds it. What is inside an
 * artifact is the business of `data/`.
 */
import * as z from "zod";
import { shortText, textOf, listOf } from "./bound.ts";
import { digestSchema, trialIdSchema } from "./id.ts";
import { nameSchema } from "./name.ts";

const count = z.int().nonnegative();

const rowsSchema = z.strictObject({ train: count, validation: count, test: count });

/** What is in a dataset: texts with labels, or a table of numbers with a target. */
export const datasetKindSchema = z.enum(["text", "table"]);

/** How a sweep names its dataset. */
export const datasetRefSchema = z.strictObject({
  name: nameSchema,
  digest: digestSchema,
  bytes: count,
  rows: rowsSchema,
});
export type DatasetRef = z.infer<typeof datasetRefSchema>;

const sentencesMax = 20;
const labelsMax = 1_000;

/** What came of the expectations that a dataset's declaration has. */
export const datasetCheckSchema = z.strictObject({
  /** Expectations that had to hold and did not: a sweep that demands the gate is refused. */
  failed: count,
  /** Those that only warn. */
  warned: count,
  /** What failed, with the first rows: at most so many sentences. */
  sentences: listOf(textOf(1_000), sentencesMax),
});
export type DatasetCheck = z.infer<typeof datasetCheckSchema>;

/** A version to be recorded: the same digest under the same name is the same version. */
export const datasetVersionSchema = z.strictObject({
  dataset: nameSchema,
  kind: datasetKindSchema,
  digest: digestSchema,
  bytes: count,
  rows: rowsSchema,
  /** What its labels are called; null where a number is to be predicted. */
  labels: listOf(shortText, labelsMax).nullable(),
  /** Rows rejected because they could not be read. */
  badRows: count,
  /** Digest of the plan and of all it read: what has been built once is not built again. */
  recipe: digestSchema,
  /** The trial that built it on an agent; null where it was built beside the command that added it. */
  trial: trialIdSchema.nullable(),
  check: datasetCheckSchema,
});
export type DatasetVersion = z.infer<typeof datasetVersionSchema>;

/** What a sweep that builds a dataset has put on record once it is built; absent where whoever asked records it. */
export const recordingSchema = z.strictObject({
  dataset: nameSchema,
  /** As in the version's record: the digest of what decides its bytes. */
  recipe: digestSchema,
  /** The artifact that holds what is expected of it; null where nothing is. */
  expectations: digestSchema.nullable(),
});

/** What an agent says of a version it has built, beside its artifact. */
export const builtDatasetSchema = z.object({
  ...datasetVersionSchema.pick({ dataset: true, kind: true, rows: true, labels: true, badRows: true }).shape,
  /** Null where an expectation cannot be asked of it: then it is not recorded, and whoever checks it is told why. */
  check: datasetCheckSchema.nullable(),
});
export type BuiltDataset = z.infer<typeof builtDatasetSchema>;
