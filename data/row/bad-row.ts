/** A row that is rejected: where it stands, what is there, and why. Never dropped silently: each is counted. */
import * as z from "zod";
import { storedText } from "../../protocol/bound.ts";

export const badRowSchema = z.strictObject({
  /** Base name of the source. */
  source: storedText,
  /** Counted from 1. */
  line: z.int().positive(),
  column: storedText.nullable(),
  value: storedText.nullable(),
  reason: storedText,
});
export type BadRow = z.infer<typeof badRowSchema>;

/** Rows that are listed one by one; the others are counted. */
export const badRowsShown = 100;

/** `line 7, column price, "abc": is no number` */
export function describeBadRow({ line, column, value, reason }: Omit<BadRow, "source">): string {
  const where = column === null ? `line ${line}` : `line ${line}, column ${column}`;
  return value === null ? `${where}: ${reason}` : `${where}, ${JSON.stringify(value)}: ${reason}`;
}
