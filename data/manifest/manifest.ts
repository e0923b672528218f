/**
 * What a dataset version says of itself, kept inside its Parquet file: where its rows came from, what was done to them,
 * which were rejected. Nothing in it depends on folders, machines or time, for its bytes are part of the digest.
 */
import * as z from "zod";
import { storedText, storedList } from "../../protocol/bound.ts";
import { declarationSchema } from "../declaration/declaration.ts";
import { badRowSchema } from "../row/bad-row.ts";
import { frozenFeatureSchema } from "./feature.ts";

/** Key of the manifest in the Parquet file's metadata. */
export const manifestKey = "trialmesh";
/** Raised when the same declaration and sources would give other bytes. */
export const buildVersion = 3;

const count = z.int().nonnegative();
const sha256 = storedText.regex(/^[0-9a-f]{64}$/u);

export const manifestSchema = z.strictObject({
  format: z.literal("trialmesh-dataset"),
  build: z.int().positive(),
  /** Version of DuckDB that made it. */
  duckdb: storedText,
  name: storedText,
  /** As declared; of paths only the base names. */
  declaration: declarationSchema,
  sources: storedList(
    z.strictObject({
      name: storedText,
      digest: sha256,
      bytes: count,
      rows: count,
      /** Lines read as ISO-8859-1. */
      latin1Lines: count,
    }),
  ),
  /** Columns of the file, in order, with their types as DuckDB spells them. */
  columns: storedList(z.strictObject({ name: storedText, type: storedText })),
  rows: z.strictObject({ train: count, validation: count, test: count }),
  /** What the label's or target's indexes stand for; null where the target is a number. */
  labels: storedList(storedText).nullable(),
  /** Rows whose label had white space at its ends, which was trimmed; left out where none had. */
  trimmedLabels: count.optional(),
  /**
   * Columns of a table that the file also has as they came, as `__raw.NAME`: those whose values training does not read as
   * they were. Types as DuckDB spells them. Left out where there is none.
   */
  raw: storedList(z.strictObject({ name: storedText, type: storedText })).optional(),
  /**
   * Columns of the sources that the plan or the form reads, as the plan found them: what a row to predict may have. Types as
   * DuckDB spells them. Left out in versions built before 3.
   */
  inputs: storedList(z.strictObject({ name: storedText, type: storedText })).optional(),
  /** Of a table; null for text. */
  features: storedList(frozenFeatureSchema).nullable(),
  bad: z.strictObject({ count, first: storedList(badRowSchema) }),
  /** Training rows dropped because a held-out split has the same text. */
  leakedRows: count,
  /** The first of them, each with a row of the held-out split that has the text. */
  leaks: storedList(
    z.strictObject({
      source: storedText,
      line: count,
      heldSplit: storedText,
      heldSource: storedText,
      heldLine: count,
    }),
  ),
  /** Groups of near-duplicates, where the plan looks for them. */
  nearGroups: count.nullable(),
});
export type Manifest = z.infer<typeof manifestSchema>;
