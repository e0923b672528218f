/** A Parquet file as a source: it knows its own types. Columns that hold lists or structures are read as their text. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { ColumnType } from "../declaration/source.ts";
import { columnNameFault } from "../engine/column-name.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { digestOf, type Located } from "./locate-source.ts";
import type { Prepared } from "./prepared.ts";
import { id, lit } from "../engine/sql.ts";

export async function prepareParquet(engine: Engine, file: Located): Promise<Outcome<Prepared>> {
  const from = `read_parquet(${lit(file.path)})`;
  let described: readonly (readonly unknown[])[];
  try {
    described = await engine.rows(`DESCRIBE SELECT * FROM ${from}`);
  } catch {
    return refuse("invalid", `${file.path} is no Parquet file`);
  }
  const types = new Map(described.map(([name, type]) => [String(name), typeOfSql(String(type))] as const));
  const columns = [...types.keys()];
  const fault = columnNameFault(file.path, columns);
  if (fault !== null) return refuse("invalid", fault);
  return accept({
    name: file.name,
    path: file.path,
    digest: await digestOf(file.path),
    bytes: await engine.count(`SELECT file_size_bytes FROM parquet_file_metadata(${lit(file.path)})`),
    records: await engine.count(`SELECT count(*) FROM ${from}`),
    badCount: 0,
    bad: [],
    latin1Lines: 0,
    notes: [],
    shifts: [{ record: 0, shift: 1 }],
    relation: () =>
      `SELECT ${columns.map((name) => `CAST(${id(name)} AS VARCHAR) AS ${id(name)}`).join(", ")} FROM ${from}`,
    columns,
    types,
    hasWhy: false,
  });
}

function typeOfSql(type: string): ColumnType {
  if (/^U?(?:TINY|SMALL|BIG)?INT(?:EGER)?$/u.test(type)) return "integer";
  if (/^(?:FLOAT|DOUBLE|DECIMAL|U?HUGEINT)/u.test(type)) return "number";
  if (type === "BOOLEAN") return "boolean";
  if (type === "DATE") return "date";
  return type.startsWith("TIMESTAMP") ? "timestamp" : "text";
}
