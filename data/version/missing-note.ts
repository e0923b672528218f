/**
 * Values that look like a sign for "there is none" in a column that would be numbers without them, or that clash with the
 * name that unknown categories have. It only says so: what a value means is for whoever knows the data.
 */
import { plural } from "../../protocol/plural.ts";
import type { Declaration } from "../declaration/declaration.ts";
import type { Engine } from "../engine/sql-engine.ts";
import { id } from "../engine/sql.ts";
import { trimmed } from "../engine/text-function.ts";
import type { Planned } from "../plan/run-plan.ts";

/** More different texts than this among numbers are no sign for a missing value. */
const signsMost = 3;
/** Numbers among the values of a column that was meant to hold them. */
const numbersLeast = 0.5;

/** Of columns of features that are text, unless the plan says itself that they are categories. */
export async function missingNotes(
  engine: Engine,
  declaration: Declaration,
  { features, relation }: Planned,
): Promise<readonly string[]> {
  const options = declaration.plan.find((step) => step.step === "features")?.columns ?? {};
  const columns = features.filter(
    ({ name, type }) => type === "VARCHAR" && options[name]?.categories === undefined,
  );
  if (columns.length === 0) return [];
  const names = columns.map(({ name }) => id(name)).join(", ");
  const rows = await engine.rows(
    `SELECT c, count(*), count(TRY_CAST(v AS DOUBLE)), array_to_string(list_sort(list(DISTINCT v) FILTER (WHERE TRY_CAST(v AS DOUBLE) IS NULL)), chr(31))
     FROM (SELECT c, ${trimmed("v")} AS v FROM (UNPIVOT (SELECT ${names} FROM ${relation}) ON ${names} INTO NAME c VALUE v))
     GROUP BY c HAVING count(TRY_CAST(v AS DOUBLE)) BETWEEN ${numbersLeast} * count(*) AND count(*) - 1
       AND count(DISTINCT v) FILTER (WHERE TRY_CAST(v AS DOUBLE) IS NULL) <= ${signsMost}`,
  );
  const found = new Map(rows.map(([column, ...rest]) => [String(column), rest]));
  return columns.flatMap(({ name }) => {
    const [present, numbers, signs] = found.get(name) ?? [];
    if (typeof signs !== "string") return [];
    const count = Number(present) - Number(numbers);
    return [missingSentence(declaration, name, count, Number(present), signs.split("\u001F"))];
  });
}

/** What to do where `signs` stand in `count` of `present` values of a column. */
export function missingSentence(
  declaration: Declaration,
  column: string,
  count: number,
  present: number,
  signs: readonly string[],
): string {
  const quoted = signs.map((sign) => JSON.stringify(sign));
  const verb = count === 1 ? "is" : "are";
  const isText = declaration.sources.some((source) => "missing" in source);
  const remedy = isText
    ? `say missing: [${quoted.join(", ")}] in the source`
    : `make them NULL in the plan, as in derive: {column: ${column}, as: "nullif(${column}, '${signs[0] ?? ""}')"}`;
  return `column ${column}: ${count} of ${plural(present, "value")} ${verb} ${quoted.join(" or ")}; if that means there is none, ${remedy}`;
}
