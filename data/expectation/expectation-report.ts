/** What checking a dataset version against its expectations found. What stands behind the gate (a sweep, a promotion) is not known here. */
import * as z from "zod";
import { storedText, storedList } from "../../protocol/bound.ts";
import { expectationSchema, severitySchema } from "./expectation.ts";

const count = z.int().nonnegative();

const failingRowSchema = z.strictObject({
  split: storedText,
  /** Base name of the source; empty where the data does not say. */
  file: storedText,
  /** Counted from 1; null where the data has no lines. */
  line: count.nullable(),
  /** The value that failed, cut short; null where it is missing. */
  value: storedText.nullable(),
});
export type FailingRow = z.infer<typeof failingRowSchema>;

const checkedSchema = z.strictObject({
  expectation: expectationSchema,
  title: storedText,
  severity: severitySchema,
  passed: z.boolean(),
  /** One sentence: what was found. */
  found: storedText,
  /** Rows looked at, and those that fail; both 0 where it is not about single rows. */
  rows: count,
  failing: count,
  /** The first of the failing rows. */
  examples: storedList(failingRowSchema),
});
export type Checked = z.infer<typeof checkedSchema>;

export const expectationReportSchema = z.strictObject({
  format: z.literal("trialmesh-expectations"),
  version: z.literal(1),
  name: storedText,
  /** SHA-256 of the dataset version; null where it is none. */
  digest: storedText.nullable(),
  /** False where an expectation of severity `refuse` failed. */
  passed: z.boolean(),
  /** In the order they were declared. */
  checks: storedList(checkedSchema),
});
export type ExpectationReport = z.infer<typeof expectationReportSchema>;
