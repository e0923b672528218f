/** Expectations that each row fulfils or not, and those about counts of values: what SQL can say of a version. */
import { exactPercent } from "../../text/figure.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { id, lit } from "../engine/sql.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import { suggestion } from "../../protocol/name.ts";
import type { RawColumn } from "../manifest/raw-column.ts";
import { asText, rawRows, rawRowsOf, type RawVersion } from "../quality/raw-version.ts";
import type { Expectation, ExpectationOf } from "./expectation.ts";
import type { Checked, FailingRow } from "./expectation-report.ts";

export type Found = Pick<Checked, "passed" | "found" | "rows" | "failing"> & {
  readonly examples: FailingRow[];
};
export const examplesMost = 20;
const valueUnits = 200;

type RowExpectation = ExpectationOf<"not-null" | "range" | "regex" | "one-of" | "length">;

export async function checkRows(version: RawVersion, expectation: RowExpectation): Promise<Outcome<Found>> {
  const column = columnOf(version, expectation.column);
  if (!column.ok) return column;
  const fault = await unfit(version, expectation, column.value);
  if (fault !== null) return refuse("invalid", fault);
  return accept(
    await failingRows(
      version,
      looked(expectation),
      failing(expectation, column.value),
      [column.value],
      expectation.mostly,
    ),
  );
}

/** No two rows alike in some columns: every row but the first of its kind fails. */
export async function checkUnique(
  version: RawVersion,
  { columns, mostly }: ExpectationOf<"unique">,
): Promise<Outcome<Found>> {
  const known: RawColumn[] = [];
  for (const name of columns) {
    const column = columnOf(version, name);
    if (!column.ok) return column;
    known.push(column.value);
  }
  const names = columns.map(id).join(", ");
  const twice = `(split, file, line) IN (SELECT (split, file, line) FROM (SELECT split, file, line, row_number() OVER (PARTITION BY ${names} ORDER BY CASE split WHEN 'train' THEN 0 WHEN 'validation' THEN 1 ELSE 2 END, file, line) AS nth FROM ${rawRows}) WHERE nth > 1)`;
  return accept(await failingRows(version, "true", twice, known, mostly));
}

export async function checkDistinct(
  version: RawVersion,
  { column, max, min }: ExpectationOf<"distinct">,
): Promise<Outcome<Found>> {
  const known = columnOf(version, column);
  if (!known.ok) return known;
  const values = await version.engine.count(`SELECT count(DISTINCT ${id(column)}) FROM ${rawRows}`);
  const passed = values >= (min ?? 0) && values <= (max ?? Number.POSITIVE_INFINITY);
  return accept({ passed, found: `${values} different values`, rows: 0, failing: 0, examples: [] });
}

export function checkRowCount({ manifest }: RawVersion, { max, min, split }: ExpectationOf<"rows">): Found {
  const { rows } = manifest;
  const count = split === undefined ? rows.train + rows.validation + rows.test : rows[split];
  const passed = count >= (min ?? 0) && count <= (max ?? Number.POSITIVE_INFINITY);
  return { passed, found: `${count} rows`, rows: 0, failing: 0, examples: [] };
}

export async function checkBalance(
  version: RawVersion,
  { max }: ExpectationOf<"balance">,
): Promise<Outcome<Found>> {
  const { manifest, target } = version;
  if (manifest.labels === null)
    return refuse("invalid", `balance is about labels, and ${target} is a number to predict`);
  const counted = await version.engine.rows(
    `SELECT ${id(target)}, count(*) FROM ${rawRows} WHERE ${id(target)} IS NOT NULL GROUP BY 1`,
  );
  const rows = new Map(counted.map(([label, count]) => [String(label), Number(count)]));
  const sorted = manifest.labels
    .map((label) => ({ label, rows: rows.get(label) ?? 0 }))
    .sort((a, b) => b.rows - a.rows);
  const [most, least] = [sorted[0], sorted.at(-1)];
  if (most === undefined || least === undefined)
    return refuse("invalid", "balance: the dataset has no labels");
  const ratio = most.rows / least.rows;
  const times = least.rows === 0 ? "" : `, ${Number(ratio.toPrecision(3))} to 1`;
  return accept({
    passed: ratio <= max,
    found: `${most.rows} rows of "${most.label}" and ${least.rows} of "${least.label}"${times}`,
    rows: 0,
    failing: 0,
    examples: [],
  });
}

/** Which rows are looked at, and which of them fail, as SQL conditions. */
async function failingRows(
  version: RawVersion,
  look: string,
  fail: string,
  columns: readonly RawColumn[],
  mostly: number,
): Promise<Found> {
  const rows = await version.engine.count(`SELECT count(*) FROM ${rawRows} WHERE ${look}`);
  const failing = await version.engine.count(`SELECT count(*) FROM ${rawRows} WHERE (${look}) AND (${fail})`);
  const examples: FailingRow[] = [];
  if (failing > 0) {
    const value =
      columns.length === 1
        ? columns.map(asText).join()
        : `concat_ws(', ', ${columns.map(asText).join(", ")})`;
    for await (const row of rawRowsOf(version, [value], `(${look}) AND (${fail}) LIMIT ${examplesMost}`)) {
      examples.push({ split: row.split, file: row.file, line: row.line, value: shortValue(row.values[0]) });
    }
  }
  return foundOf(rows, failing, mostly, examples);
}

export function foundOf(rows: number, failing: number, mostly: number, examples: FailingRow[]): Found {
  const held = rows === 0 ? 1 : (rows - failing) / rows;
  const share = failing === 0 ? "" : `, ${exactPercent(Number((failing / rows).toPrecision(3)))}`;
  return {
    passed: held >= mostly,
    found: `${failing} of ${rows} rows fail${share}`,
    rows,
    failing,
    examples,
  };
}

export function shortValue(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return (text.length > valueUnits ? `${text.slice(0, valueUnits)}...` : text).toWellFormed();
}

function columnOf({ columns }: RawVersion, name: string): Outcome<RawColumn> {
  const column = columns.find((one) => one.name === name);
  if (column !== undefined) return accept(column);
  return refuse(
    "unknown",
    `there is no column "${name}"; ${suggestion(
      name,
      columns.map((one) => one.name),
    )}`,
  );
}

/** Why an expectation cannot be asked of a column; null where it can. */
async function unfit(
  { engine }: RawVersion,
  expectation: RowExpectation,
  { kind, name }: RawColumn,
): Promise<string | null> {
  if (expectation.kind === "range" && kind !== "number")
    return `range is for numbers, and ${name} is ${kind}`;
  if (expectation.kind === "length" && kind === "number")
    return `length is for texts, and ${name} is a number`;
  if (expectation.kind !== "regex") return null;
  try {
    await engine.rows(`SELECT regexp_matches('', ${lit(expectation.pattern)})`);
    return null;
  } catch (error) {
    const why = errorSentence(error);
    return `regex of ${name}: /${expectation.pattern}/ is no pattern that RE2 reads (${why.replace(/^.*?Error: /u, "")})`;
  }
}

/** Missing values are the business of `not-null` alone. */
function looked(expectation: RowExpectation): string {
  return expectation.kind === "not-null" ? "true" : `${id(expectation.column)} IS NOT NULL`;
}

function failing(expectation: Expectation & RowExpectation, { kind }: RawColumn): string {
  const column = id(expectation.column);
  switch (expectation.kind) {
    case "not-null":
      return kind === "number"
        ? `${column} IS NULL OR isnan(${column})`
        : `${column} IS NULL OR trim(${column}) = ''`;
    case "range":
      return outside(column, expectation);
    case "regex":
      return `NOT regexp_matches(CAST(${column} AS VARCHAR), ${lit(expectation.pattern)})`;
    case "one-of":
      return `${column} NOT IN (${expectation.values.map((value) => (kind === "number" ? `TRY_CAST(${lit(String(value))} AS DOUBLE)` : lit(String(value)))).join(", ")})`;
    case "length":
      return outside(
        expectation.unit === "characters"
          ? `length(${column})`
          : `len(regexp_extract_all(${column}, '\\S+'))`,
        expectation,
      );
    default:
      return expectation satisfies never;
  }
}

function outside(
  value: string,
  { max, min }: { readonly min?: number | undefined; readonly max?: number | undefined },
): string {
  const parts = [
    ...(min === undefined ? [] : [`${value} < CAST('${min}' AS DOUBLE)`]),
    ...(max === undefined ? [] : [`${value} > CAST('${max}' AS DOUBLE)`]),
  ];
  return parts.join(" OR ");
}
