/**
 * A Parquet file as a source: it knows its own types. Columns that hold lists or structures are read as their text, and so
 * are whole numbers that no integer of 64 bits holds, digit for digit.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { ColumnType } from "../declaration/source.ts";
import { columnNameFault } from "../engine/column-name.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { digestOf, type Located } from "./locate-source.ts";
import { parquetFault } from "./parquet-fault.ts";
import type { Prepared } from "./prepared.ts";
import { id, lit } from "../engine/sql.ts";

/** Whole numbers that an integer need not hold. */
const wide = /^(?:UBIGINT|U?HUGEINT|DECIMAL\((?:19|[23][0-9]),0\))$/u;

export async function prepareParquet(engine: Engine, file: Located): Promise<Outcome<Prepared>> {
  const fault = await parquetFault(file.path);
  if (fault !== null) return refuse("invalid", fault);
  const from = `read_parquet(${lit(file.path)})`;
  let described: readonly (readonly unknown[])[];
  let records: number;
  try {
    described = await engine.rows(`DESCRIBE SELECT * FROM ${from}`);
    records = await engine.count(`SELECT count(*) FROM ${from}`);
  } catch {
    return refuse(
      "invalid",
      `${file.path} is a Parquet file with a footer that cannot be read, so nobody can tell its columns; fetch or write it again`,
    );
  }
  if (records === 0) return refuse("invalid", `${file.path} holds no row`);
  const types = new Map<string, ColumnType>();
  for (const [name, type] of described)
    types.set(String(name), await typeOf(engine, from, String(name), String(type)));
  const columns = [...types.keys()];
  const named = columnNameFault(file.path, columns);
  if (named !== null) return refuse("invalid", named);
  const texts = (some: readonly string[]) =>
    some.map((name) => `CAST(${id(name)} AS VARCHAR) AS ${id(name)}`).join(", ");
  return accept({
    name: file.name,
    path: file.path,
    digest: await digestOf(file.path),
    bytes: await engine.count(`SELECT file_size_bytes FROM parquet_file_metadata(${lit(file.path)})`),
    records,
    badCount: 0,
    bad: [],
    latin1Lines: 0,
    notes: [],
    shifts: [{ record: 0, shift: 1 }],
    relation: () => `SELECT ${texts(columns)} FROM ${from}`,
    columns,
    types,
    hasWhy: false,
    unreadable: () => unreadable(engine, from, columns),
  });
}

/** Columns whose values no reader here makes anything of. */
async function unreadable(
  engine: Engine,
  from: string,
  columns: readonly string[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const column of columns) {
    const isRead = await engine.rows(`SELECT max(length(CAST(${id(column)} AS VARCHAR))) FROM ${from}`).then(
      () => true,
      () => false,
    );
    if (!isRead) found.push(column);
  }
  return found;
}

async function typeOf(engine: Engine, from: string, name: string, type: string): Promise<ColumnType> {
  if (wide.test(type)) {
    // Where it cannot be read at all, that is told when its values are.
    const beyond = `SELECT count(*) FROM ${from} WHERE TRY_CAST(${id(name)} AS BIGINT) IS NULL AND ${id(name)} IS NOT NULL`;
    return (await engine.count(beyond).catch(() => 1)) === 0 ? "integer" : "text";
  }
  if (/^U?(?:TINY|SMALL|BIG)?INT(?:EGER)?$/u.test(type)) return "integer";
  if (/^DECIMAL\(\d+,0\)$/u.test(type)) return "integer";
  if (/^(?:FLOAT|DOUBLE|DECIMAL)/u.test(type)) return "number";
  if (type === "BOOLEAN") return "boolean";
  if (type === "DATE") return "date";
  return type.startsWith("TIMESTAMP") ? "timestamp" : "text";
}
