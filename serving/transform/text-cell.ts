/** Values of rows as the texts that a source would have had in their place, for DuckDB to read as it reads a source. */
import type { ColumnType } from "../../data/declaration/source.ts";
import type { Value } from "../../protocol/value.ts";
import { typeOfColumn } from "./input-type.ts";
import type { TransformPlan } from "./transform-plan.ts";
import type { Cells, UnfitRow } from "./transform.ts";

export interface TextCells {
  /** By column; null where there is no value. */
  readonly columns: readonly (readonly (string | null)[])[];
  readonly unfit: readonly UnfitRow[];
}

const notFinite = "it is no finite number";
const notText = "it is no text";

export function asTexts(
  { inputs, missing, output }: TransformPlan,
  given: readonly Cells[],
  count: number,
): TextCells {
  const unfit: UnfitRow[] = [];
  const columns = given.map((cells, at) => {
    const column = inputs[at];
    const type = column === undefined ? "text" : typeOfColumn(column);
    return Array.from({ length: count }, (_, row) => {
      const value: Value | null = cells[row] ?? null;
      if (missing.isMissing(value, type)) return null;
      const reason = faultOf(value, type, output.kind === "text");
      if (reason === null) return String(value);
      unfit.push({ row, column: column?.name ?? null, value: String(value), reason });
      return null;
    });
  });
  return { columns, unfit };
}

/** What is wrong with a value whatever the plan makes of it. `isText`: a text comes out, and no table. */
export function faultOf(value: Value, type: ColumnType, isText: boolean): string | null {
  if (isText && type === "text" && typeof value !== "string") return notText;
  return typeof value === "number" && !Number.isFinite(value) ? notFinite : null;
}
