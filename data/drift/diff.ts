/** How two datasets differ: what `dataset diff` prints and its report draws. `a` is the reference. */
import * as z from "zod";
import { columnDriftSchema } from "./column-drift.ts";
import { textDriftSchema } from "./text-drift.ts";

const count = z.int().nonnegative();

const sideSchema = z.strictObject({
  name: z.string(),
  /** SHA-256 of the version; null where it is not known. */
  digest: z.string().nullable(),
  /** The one split looked at; null for all. */
  split: z.string().nullable(),
  rows: count,
  splits: z.array(z.strictObject({ split: z.string(), rows: count })),
});

const placeSchema = z.strictObject({
  split: z.string(),
  file: z.string(),
  line: count,
  label: z.string(),
});
const listedSchema = z.array(z.strictObject({ text: z.string(), ...placeSchema.shape }));

export const datasetDiffSchema = z.strictObject({
  format: z.literal("trialmesh-diff"),
  version: z.literal(1),
  kind: z.enum(["text", "table"]),
  a: sideSchema,
  b: sideSchema,
  schema: z.strictObject({
    columnsAdded: z.array(z.string()),
    columnsRemoved: z.array(z.string()),
    kindChanged: z.array(z.strictObject({ column: z.string(), a: z.string(), b: z.string() })),
    labelsAdded: z.array(z.string()),
    labelsRemoved: z.array(z.string()),
  }),
  /** By normalised text, or by all features of a table; the first of each are listed. */
  rows: z.strictObject({
    /** Rows of `b` that stand in `a` too. */
    common: count,
    added: z.strictObject({ rows: count, listed: listedSchema }),
    removed: z.strictObject({ rows: count, listed: listedSchema }),
    /** The same row under other labels. */
    relabelled: z.strictObject({
      rows: count,
      listed: z.array(z.strictObject({ text: z.string(), a: placeSchema, b: placeSchema })),
    }),
  }),
  /** Rows of each label by side; empty where the target is a number. */
  labels: z.array(z.strictObject({ label: z.string(), a: count, b: count })),
  /** Labels or target first, then features or lengths of texts. */
  columns: z.array(columnDriftSchema),
  text: textDriftSchema.nullable(),
  drifted: z.boolean(),
  /** Worst first. */
  verdicts: z.array(
    z.strictObject({ severity: z.enum(["bad", "warn", "note"]), subject: z.string(), sentence: z.string() }),
  ),
});
export type DatasetDiff = z.infer<typeof datasetDiffSchema>;
export type DiffSide = z.infer<typeof sideSchema>;
export const diffListedMost = 50;
