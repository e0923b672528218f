/**
 * A value as the cell of a typed column, as `castTo` has DuckDB read it. Of a way to write a value that is not plain, and of
 * every misfit, DuckDB has the last word: here it is `doubt`.
 */
import type { ColumnType } from "../../data/declaration/source.ts";
import type { Value } from "../../protocol/value.ts";

/** Of a column of numbers NaN stands for whatever is not finite. */
export type Cell = string | number | boolean | null;

export const doubt = Symbol("doubt");

/** Types whose cells are the same here as in DuckDB. */
export type PlainType = "text" | "integer" | "number" | "boolean";

export function isPlainType(type: ColumnType): type is PlainType {
  return type !== "date" && type !== "timestamp";
}

/** Fifteen digits: a double holds all of them. */
const integer = /^ *[+-]?\d{1,15} *$/u;
const decimal = /^ *[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)? *$/iu;
const notFinite = /^ *[+-]?(?:inf|infinity|nan) *$/iu;
const yes = /^ *true *$/iu;
const no = /^ *false *$/iu;

export function castCell(value: Value, type: PlainType): Cell | typeof doubt {
  switch (type) {
    case "text":
      return typeof value === "string" ? wellFormed(value) : String(value);
    case "integer":
      // A zero has no sign among whole numbers.
      if (typeof value === "number") return Number.isSafeInteger(value) ? value + 0 : doubt;
      return typeof value === "string" && integer.test(value) ? Number(value) + 0 : doubt;
    case "number":
      if (typeof value === "number") return value;
      if (typeof value !== "string") return doubt;
      if (decimal.test(value)) return Number(value);
      return notFinite.test(value) ? Number.NaN : doubt;
    case "boolean":
      if (typeof value === "boolean") return value;
      if (typeof value !== "string") return doubt;
      return yes.test(value) ? true : no.test(value) ? false : doubt;
    default:
      return type satisfies never;
  }
}

/** Half a character is none in UTF-8. */
export function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}
