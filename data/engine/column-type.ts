/**
 * What type a column of texts has, inferred from its first rows in the file's order: the narrowest that nearly all of them
 * can be. Values elsewhere that cannot are bad rows. What a type would lose stays text: the zeros of 007, the digits of a
 * whole number that no integer holds; and a day with a time is no date.
 */
import { badRowShareMax } from "../declaration/declaration.ts";
import type { ColumnType } from "../declaration/source.ts";
import type { Engine } from "./sql-engine.ts";
import { id, lit } from "./sql.ts";

export const sampledRows = 10_000;

const wholeNumber = "'\\s*[+-]?[0-9]{1,19}\\s*'";
/** As long as you like: more than an integer holds. */
const anyWhole = "'\\s*[+-]?[0-9]+\\s*'";
const leadingZero = "'\\s*[+-]?0[0-9]+.*'";
const day = "[0-9]{4,6}[-/][0-9]{1,2}[-/][0-9]{1,2}";
/** A day and nothing behind it: a cast alone would drop a time. */
const dayOnly = lit(`\\s*${day}\\s*`);
/** A day, or a day with a time, and where the time holds: none, Z, +02:00, a name. */
const moment = lit(
  `\\s*${day}(?:[Tt ]\\s?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\\.[0-9]+)?)?\\s?(?:[+-][0-9]{2}(?::?[0-9]{2}){0,2}|[A-Za-z][A-Za-z0-9_/+-]*)?)?\\s*`,
);
/** A time without seconds, and what stands behind it. */
const noSeconds = lit(`^(${day})[Tt ]\\s?([0-9]{1,2}:[0-9]{2})(\\s?[A-Za-z+-].*)?$`);
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
      return `CASE WHEN regexp_full_match(${text}, ${dayOnly}) THEN TRY_CAST(trim(${text}) AS DATE) END`;
    case "timestamp": // by way of a zone, so that an offset counts; without one it is UTC
      return `CASE WHEN regexp_full_match(${text}, ${moment}) THEN CAST(TRY_CAST(regexp_replace(trim(${text}), ${noSeconds}, '\\1 \\2:00\\3') AS TIMESTAMPTZ) AS TIMESTAMP) END`;
  }
}

/** What people write where there is no value. */
const missingSigns = ["?", "-", "--", ".", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing"]
  .map(lit)
  .join(", ");

/** SQL for why a value is not of its column's type; value, the column's name and the type's are SQL too. */
export function notOfType(value: string, column: string, type: string): string {
  const large = `'it is a whole number of more than 64 bits, which no integer holds; types: {' || ${column} || ': text} keeps its digits'`;
  const sign = `'it is no ' || ${type} || '; if it means there is none, say missing: ["' || ${value} || '"] in the source'`;
  return `CASE WHEN lower(trim(${value})) IN (${missingSigns}) THEN ${sign} WHEN ${type} = 'integer' AND regexp_full_match(${value}, ${anyWhole}) THEN ${large} ELSE 'it is no ' || ${type} END`;
}

/** `relation` is SQL that gives text columns of these names, in the file's order. */
export async function inferTypes(
  engine: Engine,
  relation: string,
  columns: readonly string[],
): Promise<ReadonlyMap<string, ColumnType>> {
  if (columns.length === 0) return new Map();
  // One value a row: DuckDB plans a query over a thousand columns in the square of them.
  const names = columns.map(id).join(", ");
  const figures = [
    "sum(n)",
    `sum(n) FILTER (WHERE regexp_full_match(v, ${leadingZero}))`,
    `sum(n) FILTER (WHERE regexp_full_match(v, ${anyWhole}))`,
    ...candidates.map((type) => `sum(n) FILTER (WHERE (${castTo("v", type)}) IS NOT NULL)`),
  ];
  const rows = await engine.rows(
    `SELECT c, ${figures.join(", ")} FROM (
       SELECT c, v, count(*) AS n FROM (
         UNPIVOT (SELECT ${names} FROM (${relation}) LIMIT ${sampledRows}) ON ${names} INTO NAME c VALUE v) GROUP BY ALL)
     GROUP BY c`,
  );
  const found = new Map(rows.map(([column, ...counts]) => [String(column), counts.map(Number)]));
  return new Map(columns.map((column) => [column, narrowest(found.get(column) ?? [])]));
}

/** Of two types that are enough the wider, where it loses fewer values: 1, 2, 2.5 are numbers, a time among days is kept. */
function narrowest([present = 0, zeros = 0, whole = 0, ...fits]: readonly number[]): ColumnType {
  const enough = Math.max(1, present * (1 - badRowShareMax));
  const [integers = 0, numbers = 0, booleans = 0, dates = 0, timestamps = 0] = fits;
  if (whole >= enough && integers < enough) return "text";
  if (numbers >= enough) {
    if (zeros > 0) return "text";
    return numbers > whole ? "number" : "integer";
  }
  if (booleans >= enough) return "boolean";
  if (timestamps < enough) return "text";
  return dates === timestamps ? "date" : "timestamp";
}

/** One type for a column that several files have. */
export function commonType(a: ColumnType, b: ColumnType): ColumnType {
  if (a === b) return a;
  const numbers: readonly ColumnType[] = ["integer", "number"];
  if (numbers.includes(a) && numbers.includes(b)) return "number";
  const times: readonly ColumnType[] = ["date", "timestamp"];
  return times.includes(a) && times.includes(b) ? "timestamp" : "text";
}
