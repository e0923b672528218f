/** Cells as texts that pandas and DuckDB read back as what they were. */
import type { ColumnType } from "../list/list-column.ts";
import type { Plain } from "./export-table.ts";

/** Null for no value. */
export function cellText(value: Plain, type: ColumnType): string | null {
  if (value === null) return null;
  if (typeof value !== "number") return String(value);
  if (type === "time") return new Date(value).toISOString();
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "inf" : "-inf";
}
