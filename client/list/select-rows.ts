/** The rows of a list that are as all conditions say, in the order that was asked for. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { quotedName } from "../../text/printable.ts";
import { holds, momentIn, numberIn, order } from "./compare-cell.ts";
import type { RowCondition, SortKey } from "./row-condition.ts";
import { fieldNamed, type ListFields, type RowField } from "./row-field.ts";

export interface RowQuery {
  readonly where?: readonly RowCondition[];
  readonly sort?: SortKey;
}

export function isAsked({ sort, where }: RowQuery): boolean {
  return sort !== undefined || (where !== undefined && where.length > 0);
}

/** `rows`: all of the list; from them it is known which names there are. Rows that are equal stay in their order. */
export function selectRows<Row>(
  rows: readonly Row[],
  fields: ListFields<Row>,
  { sort, where = [] }: RowQuery,
): Outcome<readonly Row[]> {
  let selected = rows;
  for (const condition of where) {
    const test = rowTest(condition, fields, rows);
    if (!test.ok) return test;
    selected = selected.filter(test.value);
  }
  if (sort === undefined) return accept(selected);
  const field = fieldNamed(sort.name, fields, rows);
  if (!field.ok) return field;
  const { cell } = field.value;
  return accept(selected.toSorted((a, b) => order(cell(a), cell(b), sort.descending)));
}

/** Whether a row is as the condition says. */
export function rowTest<Row>(
  condition: RowCondition,
  fields: ListFields<Row>,
  rows: readonly Row[],
): Outcome<(row: Row) => boolean> {
  const field = conditionField(condition, fields, rows);
  if (!field.ok) return field;
  const { cell, type } = field.value;
  return accept((row) => holds(cell(row), type, condition));
}

/** What the name means, where the value is one that it can be compared with. */
function conditionField<Row>(
  condition: RowCondition,
  fields: ListFields<Row>,
  rows: readonly Row[],
): Outcome<RowField<Row>> {
  const { isText, name, operator, value, written } = condition;
  const field = fieldNamed(name, fields, rows);
  if (!field.ok || operator === "~" || operator === "!~") return field;
  const { isMixed, type } = field.value;
  const isOrder = operator !== "=" && operator !== "!=";
  if (type === "time")
    return momentIn(value) === null
      ? wrong(written, value, "a moment such as 2026-01-31 or 2026-01-31T09:30")
      : field;
  const isNumber = type === "number" || type === "whole";
  if ((isNumber || isOrder) && (numberIn(value) === null || isText)) return wrong(written, value, "a number");
  if (isOrder && type === "text" && !isMixed)
    return refuse("invalid", `${quotedName(written)}: ${name} is a text, which = != ~ and !~ compare`);
  return field;
}

function wrong(written: string, value: string, right: string): Outcome<never> {
  const isMany = /\b(?:and|or)\b|&&|\|\||,/iu.test(value);
  const hint = isMany ? "; each condition is given for itself" : "";
  return refuse("invalid", `${quotedName(written)} needs ${right}, and ${quotedName(value)} is none${hint}`);
}
