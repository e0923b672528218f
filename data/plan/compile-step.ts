/**
 * Steps that look at one row at a time, each as one SELECT over the step before. Bad rows pass through untouched, with
 * their first fault. A column that is not there is refused with the nearest that is.
 */
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { castTo, notOfType } from "../engine/column-type.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { id, internalPrefix, lit, markColumns, sqlTypes, type Mark } from "../engine/sql.ts";
import type { ColumnType } from "../declaration/source.ts";
import type { Step, StepOf } from "../declaration/plan-step.ts";
import { expressionFault } from "./check-expression.ts";
import { hasHtml, nfkc, singleSpaced, trimmed } from "../engine/text-function.ts";

export interface Column {
  readonly name: string;
  /** As DuckDB spells it. */
  readonly type: string;
}

export type RowStep = Exclude<Step, { step: "dedupe" | "sample" | "balance" | "split" | "features" }>;

export const otherLabel = "other";

/** `where` begins messages: "step 2 (clean)". */
export async function compileStep(
  engine: Engine,
  step: RowStep,
  from: string,
  columns: readonly Column[],
  where: string,
): Promise<Outcome<string>> {
  const names = columns.map((column) => column.name);
  const missing = firstMissing(readBy(step), names);
  if (missing !== null)
    return refuse("invalid", `${where}: there is no column "${missing}"; ${suggestion(missing, names)}`);
  for (const made of madeBy(step)) {
    if (made.startsWith(internalPrefix))
      return refuse("invalid", `${where}: a column may not begin with ${internalPrefix}, as "${made}" does`);
  }
  switch (step.step) {
    case "rename":
      return rename(step, from, names, where);
    case "cast":
      return accept(cast(step, from));
    case "concat":
      return accept(
        withColumn(
          from,
          names,
          step.to,
          `nullif(concat_ws(${lit(step.separator)}, ${step.columns.map((name) => `nullif(CAST(${id(name)} AS VARCHAR), '')`).join(", ")}), '')`,
        ),
      );
    case "map-label":
      return accept(mapLabel(step, from, names));
    case "clean":
      return accept(clean(step, from));
    case "filter":
    case "derive": {
      const expression = step.step === "filter" ? step.where : step.as;
      const fault = await expressionFault(engine, expression, names);
      if (fault !== null) return refuse("invalid", `${where}: ${JSON.stringify(expression)} ${fault}`);
      if (step.step === "derive") return accept(withColumn(from, names, step.column, `(${expression}\n)`));
      return accept(`SELECT * FROM ${from} WHERE __reason IS NOT NULL OR (${expression}\n)`);
    }
  }
}

function readBy(step: RowStep): readonly string[] {
  switch (step.step) {
    case "rename":
    case "cast":
      return Object.keys(step.columns);
    case "concat":
    case "clean":
      return step.columns;
    case "map-label":
      return [step.column];
    case "filter":
    case "derive":
      return [];
  }
}

function madeBy(step: RowStep): readonly string[] {
  switch (step.step) {
    case "rename":
      return Object.values(step.columns);
    case "concat":
      return [step.to];
    case "map-label":
      return step.to === undefined ? [] : [step.to];
    case "derive":
      return [step.column];
    default:
      return [];
  }
}

/** Letter case does not count in DuckDB, but a name is written as it is. */
export function firstMissing(wanted: readonly string[], names: readonly string[]): string | null {
  return wanted.find((name) => !names.includes(name)) ?? null;
}

function rename(
  step: StepOf<"rename">,
  from: string,
  names: readonly string[],
  where: string,
): Outcome<string> {
  const after = names.map((name) => step.columns[name] ?? name);
  const twice = after.find(
    (name, at) => after.findIndex((other) => other.toLowerCase() === name.toLowerCase()) !== at,
  );
  if (twice !== undefined) return refuse("invalid", `${where}: there would be two columns called "${twice}"`);
  const renames = Object.entries(step.columns).map(([old, name]) => `${id(old)} AS ${id(name)}`);
  return accept(`SELECT * RENAME (${renames.join(", ")}) FROM ${from}`);
}

function cast(step: StepOf<"cast">, from: string): string {
  const casts: string[] = [];
  const marks: Mark[] = [];
  for (const [name, type] of Object.entries(step.columns)) {
    const value = id(name);
    const sql = castAny(value, type);
    casts.push(`${sql} AS ${value}`);
    marks.push({
      when: `${value} IS NOT NULL AND (${sql}) IS NULL`,
      column: lit(name),
      value,
      reason: notOfType(`CAST(${value} AS VARCHAR)`, lit(name), lit(type)),
    });
  }
  return `SELECT * REPLACE (${[...casts, markColumns(marks, true)].join(", ")}) FROM ${from}`;
}

function castAny(value: string, type: ColumnType): string {
  if (type === "text") return `CAST(${value} AS VARCHAR)`;
  // A number as a whole number is cut by no rounding that nobody asked for: 2.5 is no integer, 2.0 is.
  if (type === "integer")
    return `CASE WHEN typeof(${value}) IN ('DOUBLE', 'FLOAT') THEN CASE WHEN TRY_CAST(${value} AS DOUBLE) = trunc(TRY_CAST(${value} AS DOUBLE)) THEN TRY_CAST(${value} AS ${sqlTypes.integer}) END ELSE ${castTo(`CAST(${value} AS VARCHAR)`, type)} END`;
  return castTo(`CAST(${value} AS VARCHAR)`, type);
}

function withColumn(from: string, names: readonly string[], column: string, sql: string): string {
  const there = names.find((name) => name.toLowerCase() === column.toLowerCase());
  return there === undefined
    ? `SELECT *, ${sql} AS ${id(column)} FROM ${from}`
    : `SELECT * REPLACE (${sql} AS ${id(there)}) FROM ${from}`;
}

function mapLabel(step: StepOf<"map-label">, from: string, names: readonly string[]): string {
  const raw = trimmed(`CAST(${id(step.column)} AS VARCHAR)`);
  const cases = step.map.map(([value, label]) => `WHEN ${lit(value)} THEN ${lit(label)}`).join(" ");
  const rest =
    step.unknown === "keep"
      ? `ELSE ${raw}`
      : step.unknown === "other"
        ? `ELSE CASE WHEN ${raw} IS NOT NULL THEN ${lit(otherLabel)} END`
        : "";
  const mapped = `CASE ${raw} ${cases} ${rest} END`;
  const known = step.map.map(([value]) => lit(value)).join(", ");
  const strange = `${raw} IS NOT NULL AND ${raw} NOT IN (${known})`;
  const source = withColumn(from, names, step.to ?? step.column, mapped);
  if (step.unknown === "keep" || step.unknown === "other") return source;
  if (step.unknown === "drop")
    return `${source} WHERE __reason IS NOT NULL OR NOT coalesce(${strange}, false)`;
  const reason = `${step.unknown === "refuse" ? "!" : ""}it is no label of the map`;
  const marks = markColumns(
    [{ when: strange, column: lit(step.column), value: raw, reason: lit(reason) }],
    true,
  );
  // Marks are made from the value before it is mapped, so in the same SELECT.
  const target = step.to ?? step.column;
  const there = names.find((name) => name.toLowerCase() === target.toLowerCase());
  return there === undefined
    ? `SELECT * REPLACE (${marks}), ${mapped} AS ${id(target)} FROM ${from}`
    : `SELECT * REPLACE (${marks}, ${mapped} AS ${id(there)}) FROM ${from}`;
}

/** Entities and tags, escapes, Unicode form, letter case, spaces: in this order, whatever the order in the file. */
function clean(step: StepOf<"clean">, from: string): string {
  const stages: ((text: string) => string)[] = [(text) => `CAST(${text} AS VARCHAR)`];
  if (step.html) stages.push((text) => `CASE WHEN ${hasHtml(text)} THEN tm_html(${text}) ELSE ${text} END`);
  if (step.escapes === true) stages.push(unescapedPlain);
  if (step.escapes === "c") stages.push(unescapedC);
  if (step.unicode === "NFC") stages.push((text) => `nfc_normalize(${text})`);
  if (step.unicode === "NFKC") stages.push(nfkc);
  if (step.lowercase) stages.push((text) => `lower(${text})`);
  if (step.whitespace) stages.push(singleSpaced);
  stages.push((text) => `nullif(${text}, '')`);
  return stages.reduce((inner, stage, index) => {
    const columns = step.columns.map((name) => `${stage(id(name))} AS ${id(name)}`);
    return `SELECT * REPLACE (${columns.join(", ")}) FROM ${index === 0 ? inner : `(${inner})`}`;
  }, from);
}

function unescapedPlain(text: string): string {
  const quotes = `regexp_replace(${text}, '\\\\(["''])', '\\1', 'g')`;
  return `CASE WHEN contains(${text}, '\\') THEN regexp_replace(${quotes}, '\\\\+', ' ', 'g') ELSE ${text} END`;
}

const placeholder = "chr(57344)"; // U+E000, of the private use area, stands for \\ meanwhile

function unescapedC(sql: string): string {
  const pairs: readonly (readonly [string, string])[] = [
    [lit("\\\\"), placeholder],
    [lit("\\n"), "chr(10)"],
    [lit("\\t"), "chr(9)"],
    [lit("\\r"), "chr(13)"],
    [lit('\\"'), lit('"')],
    [lit("\\'"), lit("'")],
    [placeholder, lit("\\")],
  ];
  return pairs.reduce((inner, [from, to]) => `replace(${inner}, ${from}, ${to})`, sql);
}
