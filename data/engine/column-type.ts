/**
 * What type a column of texts has, inferred from its first rows in the file's order: the narrowest that nearly all of them
 * can be. Values elsewhere that cannot are bad rows. 007 is a text: a number would lose its zeros.
 */
import { badRowShareMax } from "../declaration/declaration.ts";
import type { ColumnType } from "../declaration/source.ts";
import type { Engine } from "./sql-engine.ts";
import { id, sqlTypes } from "./sql.ts";

export const sampledRows = 10_000;

const wholeNumber = "'\\s*[+-]?[0-9]{1,19}\\s*'";
const leadingZero = "'\\s*[+-]?0[0-9]+.*'";
const candidates = ["integer", "number", "boolean", "date", "timestamp"] as const;

/** SQL for a text as a value of the type, NULL where it is none. */
export function castTo(text: string, type: ColumnType): string {
  switch (type) {
    case "text":
      return text;
    case "integer": // a cast alone would round 1.5
      return `CASE WHEN regexp_full_match(${text}, ${wholeNumber}) THEN TRY_CAST(trim(${text}) AS BIGINT) END`;
    case "number":
      return `TRY_CAST(trim(${text}) AS DOUBLE)`;
    case "boolean":
      return `CASE lower(trim(${text})) WHEN 'true' THEN true WHEN 'false' THEN false END`;
    case "date":
    case "timestamp":
      return `TRY_CAST(trim(${text}) AS ${sqlTypes[type]})`;
  }
}

/** `relation` is SQL that gives text columns of these names, in the file's order. */
export async function inferTypes(
  engine: Engine,
  relation: string,
  columns: readonly string[],
): Promise<ReadonlyMap<string, ColumnType>> {
  if (columns.length === 0) return new Map();
  const figures = columns.flatMap((column) => {
    const value = id(column);
    return [
      `count(${value})`,
      `count(*) FILTER (WHERE regexp_full_match(${value}, ${leadingZero}))`,
      ...candidates.map((type) => `count(${castTo(value, type)})`),
    ];
  });
  const [row = []] = await engine.rows(
    `SELECT ${figures.join(", ")} FROM (SELECT * FROM (${relation}) LIMIT ${sampledRows})`,
  );
  const width = 2 + candidates.length;
  return new Map(
    columns.map((column, index) => {
      const [present = 0, zeros = 0, ...fits] = row.slice(index * width, (index + 1) * width).map(Number);
      const enough = Math.max(1, present * (1 - badRowShareMax));
      const type = candidates.find((_, at) => (fits[at] ?? 0) >= enough) ?? "text";
      const isNumber = type === "integer" || type === "number";
      return [column, isNumber && zeros > 0 ? "text" : type];
    }),
  );
}

/** One type for a column that several files have. */
export function commonType(a: ColumnType, b: ColumnType): ColumnType {
  if (a === b) return a;
  const numbers: readonly ColumnType[] = ["integer", "number"];
  if (numbers.includes(a) && numbers.includes(b)) return "number";
  const times: readonly ColumnType[] = ["date", "timestamp"];
  return times.includes(a) && times.includes(b) ? "timestamp" : "text";
}
