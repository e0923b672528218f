/** How two datasets differ: what `dataset diff` prints and its report draws. `a` is the reference. */
import * as z from "zod";
import { storedText, storedList } from "../../protocol/bound.ts";
import { columnDriftSchema } from "./column-drift.ts";
import { textDriftSchema } from "./text-drift.ts";

const count = z.int().nonnegative();

const sideSchema = z.strictObject({
  name: storedText,
  /** SHA-256 of the version; null where it is not known. */
  digest: storedText.nullable(),
  /** The one split looked at; null for all. */
  split: storedText.nullable(),
  rows: count,
  splits: storedList(z.strictObject({ split: storedText, rows: count })),
});

const placeSchema = z.strictObject({
  split: storedText,
  file: storedText,
  line: count,
  label: storedText,
});
const listedSchema = storedList(z.strictObject({ text: storedText, ...placeSchema.shape }));

export const datasetDiffSchema = z.strictObject({
  format: z.literal("trialmesh-diff"),
  version: z.literal(1),
  kind: z.enum(["text", "table"]),
  a: sideSchema,
  b: sideSchema,
  schema: z.strictObject({
    columnsAdded: storedList(storedText),
    columnsRemoved: storedList(storedText),
    kindChanged: storedList(z.strictObject({ column: storedText, a: storedText, b: storedText })),
    labelsAdded: storedList(storedText),
    labelsRemoved: storedList(storedText),
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
      listed: storedList(z.strictObject({ text: storedText, a: placeSchema, b: placeSchema })),
    }),
  }),
  /** Rows of each label by side; empty where the target is a number. */
  labels: storedList(z.strictObject({ label: storedText, a: count, b: count })),
  /** Labels or target first, then features or lengths of texts. */
  columns: storedList(columnDriftSchema),
  text: textDriftSchema.nullable(),
  drifted: z.boolean(),
  /** Worst first. */
  verdicts: storedList(
    z.strictObject({ severity: z.enum(["bad", "warn", "note"]), subject: storedText, sentence: storedText }),
  ),
});
export type DatasetDiff = z.infer<typeof datasetDiffSchema>;
export type DiffSide = z.infer<typeof sideSchema>;
export const diffListedMost = 50;
