/** Rows as people have them, before the data set's plan. */
import type { Value } from "../../protocol/value.ts";

/** Rows by column: each list has `count` values; null where a row lacks it. */
export interface InputRows {
  readonly count: number;
  readonly columns: ReadonlyMap<string, readonly (Value | null)[]>;
}
