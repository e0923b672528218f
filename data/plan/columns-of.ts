/** The user's columns of a relation in a build, with their types as DuckDB spells them. Reads no row. */
import type { Engine } from "../engine/sql-engine.ts";
import { internalPrefix } from "../engine/sql.ts";
import type { Column } from "./compile-step.ts";

export async function columnsOf(engine: Engine, relation: string): Promise<readonly Column[]> {
  const rows = await engine.rows(`DESCRIBE SELECT * FROM ${relation}`);
  return rows
    .map(([name, type]) => ({ name: String(name), type: String(type) }))
    .filter(({ name }) => !name.startsWith(internalPrefix));
}
