/** What a column of a source is, as a declaration says it, from how DuckDB spells it. Sources know no other types. */
import type { ColumnType } from "../../data/declaration/source.ts";
import { sqlTypes } from "../../data/engine/sql.ts";

const types = ["text", "integer", "number", "boolean", "date", "timestamp"] as const;
const byName = new Map<string, ColumnType>(types.map((type) => [sqlTypes[type], type]));

export function typeOfColumn({ type }: { readonly type: string }): ColumnType {
  return byName.get(type) ?? "text";
}
