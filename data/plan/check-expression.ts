/**
 * Whether a user's SQL is one expression over the columns at hand: no query inside, no aggregate, nothing that gives
 * another value the next time. DuckDB's own parser reads it; the tree is looked through here. It is never run.
 */
import * as z from "zod";
import { anyValue, storedText, storedList } from "../../protocol/bound.ts";
import { suggestion } from "../../protocol/name.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { lit } from "../engine/sql.ts";

const parsedSchema = z.union([
  z.object({ error: z.literal(true), error_message: storedText }),
  z.object({
    error: z.literal(false),
    statements: z.tuple([
      z.object({
        node: z.object({
          type: z.literal("SELECT_NODE"),
          modifiers: storedList(anyValue).length(0),
          select_list: z.tuple([anyValue]),
          from_table: z.object({ type: z.literal("EMPTY") }),
          where_clause: z.null(),
          group_expressions: storedList(anyValue).length(0),
          having: z.null(),
          sample: z.null(),
          qualify: z.null(),
        }),
      }),
    ]),
  }),
]);

const notOneExpression = "should be one SQL expression over the columns, such as length(text) > 10";

async function parsedExpression(engine: Engine, expression: string) {
  const [[serialised] = []] = await engine.rows(
    `SELECT json_serialize_sql(${lit(`SELECT ${expression}\n`)})`,
  );
  return parsedSchema.safeParse(JSON.parse(String(serialised)));
}

/** Columns that an expression of a plan that was built reads, as they stand in it: letter case does not count. */
export async function expressionColumns(engine: Engine, expression: string): Promise<readonly string[]> {
  const parsed = await parsedExpression(engine, expression);
  if (!parsed.success || parsed.data.error) return [];
  const found = new Findings();
  collect(parsed.data.statements[0].node.select_list[0], found, []);
  return [...found.columns];
}

/** A sentence's end on what is wrong with the expression, or null. */
export async function expressionFault(
  engine: Engine,
  expression: string,
  columns: readonly string[],
): Promise<string | null> {
  const parsed = await parsedExpression(engine, expression);
  if (!parsed.success) return notOneExpression;
  if (parsed.data.error) {
    const why = parsed.data.error_message.split("\n")[0] ?? "";
    // What DuckDB says of several statements, or of one that is no SELECT.
    return /serialized to json/u.test(why) ? notOneExpression : `is no SQL expression: ${why}`;
  }
  const [{ node }] = parsed.data.statements;
  const found = new Findings();
  collect(node.select_list[0], found, []);
  if (found.forbidden !== null) return found.forbidden;
  const known = new Set(columns.map((column) => column.toLowerCase()));
  for (const column of found.columns) {
    if (!known.has(column.toLowerCase()))
      return `names the column "${column}", which is not there; ${suggestion(column, columns)}`;
  }
  return functionFault(engine, [...found.functions]);
}

async function functionFault(engine: Engine, functions: readonly string[]): Promise<string | null> {
  if (functions.length === 0) return null;
  const lower = functions.map((name) => name.toLowerCase());
  const many = lower.find((name) => manyRows.has(name));
  if (many !== undefined) return manyRowsSentence(many);
  const rows = await engine.rows(
    `SELECT function_name, bool_or(function_type = 'aggregate'), bool_or(stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY')),
       bool_and(function_type NOT IN ('scalar', 'macro')) OR bool_or(regexp_matches(macro_definition, '(?i)\\bunnest\\(|\\bselect\\b'))
     FROM duckdb_functions() WHERE lower(function_name) IN (${lower.map(lit).join(", ")}) GROUP BY 1 ORDER BY 1`,
  );
  for (const [name, aggregate, volatile, multiplies] of rows) {
    if (aggregate === true) return `uses ${String(name)}, which looks at many rows; an expression sees one`;
    if (multiplies === true) return manyRowsSentence(String(name));
    if (volatile === true || outside.has(String(name)))
      return `uses ${String(name)}, which may give another value the next time; a version must come out the same`;
  }
  return null;
}

/** DuckDB's binder knows these by name: they are in no list of functions. */
const manyRows = new Set(["unnest", "unlist"]);

function manyRowsSentence(name: string): string {
  return `uses ${name}, which makes many rows of one; a row stays one row, so make a text or a list of it, as array_to_string does`;
}

/** They depend on the machine or its settings, or name the database. */
const outside = new Set([
  "getenv",
  "current_setting",
  "getvariable",
  "version",
  "current_database",
  "current_schema",
  "tm_normalise",
]);

class Findings {
  readonly columns = new Set<string>();
  readonly functions = new Set<string>();
  forbidden: string | null = null;
}

/** Walks DuckDB's serialised tree. `bound` are parameters of lambdas around. */
function collect(node: unknown, found: Findings, bound: readonly string[]): void {
  if (Array.isArray(node)) {
    for (const child of node) collect(child, found, bound);
    return;
  }
  const parsed = nodeSchema.safeParse(node);
  if (!parsed.success) {
    if (node !== null && typeof node === "object")
      for (const child of Object.values(node)) collect(child, found, bound);
    return;
  }
  const { class: kind, column_names: path, function_name: name, lhs } = parsed.data;
  if (kind === "SUBQUERY") found.forbidden ??= `holds a query; it ${notOneExpression}`;
  if (kind === "WINDOW") found.forbidden ??= "looks at many rows with OVER; an expression sees one";
  if (kind === "STAR") found.forbidden ??= "uses *; name the columns";
  if (kind === "PARAMETER") found.forbidden ??= "has a parameter that nobody gives a value";
  if (name !== undefined) found.functions.add(name);
  const [first] = path ?? [];
  if (kind === "COLUMN_REF" && first !== undefined && !bound.includes(first)) found.columns.add(first);
  const inner = kind === "LAMBDA" ? [...bound, ...namesIn(lhs)] : bound;
  for (const [key, child] of Object.entries(parsed.data)) {
    if (!(kind === "LAMBDA" && key === "lhs")) collect(child, found, inner);
  }
}

const nodeSchema = z.looseObject({
  class: storedText,
  column_names: storedList(storedText).optional(),
  function_name: storedText.optional(),
  lhs: anyValue.optional(),
});

function namesIn(lambdaParameters: unknown): string[] {
  const found = new Findings();
  collect(lambdaParameters, found, []);
  return [...found.columns];
}
