/**
 * What a row as people have it becomes before a model sees it: the dataset's plan as far as one row is concerned, and its
 * frozen features. Here are the words; how it is done is in `plain-transform.ts` and `sql-transform.ts`, which give the same.
 */
import type { Column } from "../../data/plan/compile-step.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { Value } from "../../protocol/value.ts";
import type { InputRows } from "./input-rows.ts";

/** A row that nothing can be made of. Its place in what the transformation gives holds nothing. */
export interface UnfitRow {
  /** From 0. */
  readonly row: number;
  /** Null where no one column is to blame. */
  readonly column: string | null;
  /** What stands there; null where there is nothing. */
  readonly value: string | null;
  /** As of a rejected row of a build: `it is no number`. */
  readonly reason: string;
}

export type TransformedRows =
  | { readonly kind: "text"; readonly texts: readonly string[]; readonly unfit: readonly UnfitRow[] }
  /** [rows, features] in single precision, as a dataset version holds them. */
  | { readonly kind: "table"; readonly features: Float32Array; readonly unfit: readonly UnfitRow[] };

export interface Transform {
  /** Columns of a row as it came. Types as DuckDB spells them. */
  readonly inputs: readonly Column[];
  /** One text of each text, at once; null where it is not made of one column, or not at once. Of what is no text it makes an empty one. */
  readonly ofTexts: ((texts: readonly string[]) => readonly string[]) | null;
  /** Refuses only where nothing can be made of any row, as where a column is missing altogether. */
  apply(rows: InputRows): Outcome<TransformedRows> | Promise<Outcome<TransformedRows>>;
  dispose(): void;
}

export type Cells = readonly (Value | null)[];

/** `row 3, column price, "abc": it is no number` */
export function describeUnfit({ column, reason, row, value }: UnfitRow): string {
  const where = column === null ? `row ${row + 1}` : `row ${row + 1}, column ${column}`;
  return value === null ? `${where}: ${reason}` : `${where}, ${JSON.stringify(value)}: ${reason}`;
}
