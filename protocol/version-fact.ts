/**
 * What programs that use a version of a model found out of it, kept with it: a row with the answer it gave, and what answering takes where that
 * was measured. Each is told once; what people write of a version is `label.ts`.
 */
import * as z from "zod";
import { listOf, recordOf, shortText, textOf } from "./bound.ts";

const exampleColumnsMax = 200;
const exampleTextMax = 1_000;
export const exampleAnswersMax = 20;
/** Of all columns and values together, as JSON. */
const exampleCharactersMax = 4_000;

const cell = z.union([z.number(), textOf(exampleTextMax), z.boolean()]).nullable();

/** A row as it may be asked, and the answer. */
export const exampleSchema = z
  .strictObject({
    row: recordOf(shortText, cell, exampleColumnsMax),
    /** Labels by their place in the version's order with their probabilities, the most probable first; of a number its value at 0. */
    answer: listOf(z.strictObject({ at: z.int().nonnegative(), value: z.number() }), exampleAnswersMax).min(
      1,
    ),
  })
  .refine(
    ({ row }) => JSON.stringify(row).length <= exampleCharactersMax,
    `has a row longer than ${exampleCharactersMax} characters`,
  );
export type RecordedExample = z.infer<typeof exampleSchema>;

/** What one machine took, when it loaded the version. */
export const measuredSchema = z.strictObject({
  /** Microseconds: of a row alone, and of one in a batch of `batchRows`. */
  rowUs: z.number().nonnegative(),
  batchRowUs: z.number().nonnegative(),
  batchRows: z.int().positive(),
  /** In memory, once loaded. */
  memoryBytes: z.int().nonnegative(),
  machine: shortText,
});
export type Measured = z.infer<typeof measuredSchema>;
