/**
 * From rows as people write them, objects or lists, to columns that `fitRows` takes. One with a name that the model has not is refused
 * or passed over, as its protocol does.
 */
import type { Signature } from "../model/served-model.ts";
import { fitRows, fitTexts, inputNames, nameOf, type AskedRows } from "./asked-rows.ts";
import type { DescribedModel } from "./described-model.ts";
import { quoted, turnDown, type Reading } from "./http-refusal.ts";

/** What is done with a column that the model does not take. */
export type Strangers = "refuse" | "pass over";

export function fitRecords(
  described: DescribedModel,
  records: readonly unknown[],
  strangers: Strangers,
): Reading<AskedRows> {
  const { signature } = described.model;
  const columns = new Map<string, unknown[]>(signature.inputs.map(({ name }) => [name, []]));
  for (const [row, record] of records.entries()) {
    if (typeof record !== "object" || record === null || Array.isArray(record))
      return turnDown(
        400,
        `row ${row + 1} is ${nameOf(record)}; a row is an object with a value for each column`,
      );
    const values = new Map<string, unknown>(Object.entries(record));
    for (const [name, column] of columns) column.push(values.get(name));
    if (strangers === "pass over") continue;
    for (const name of values.keys()) if (!columns.has(name)) return stranger(signature, name, row);
  }
  return fitColumns(described, records.length, withoutAbsent(signature, columns));
}

/** `names`: of the values of each row, in their order. */
export function fitLists(
  described: DescribedModel,
  names: readonly string[],
  lists: readonly unknown[],
  strangers: Strangers,
): Reading<AskedRows> {
  const { signature } = described.model;
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) return turnDown(400, `the column ${quoted(twice)} stands twice`);
  const columns = names.map((): unknown[] => []);
  for (const [row, list] of lists.entries()) {
    if (!Array.isArray(list))
      return turnDown(
        400,
        `row ${row + 1} is ${nameOf(list)}; it has to be a list of ${names.length} values`,
      );
    const values: readonly unknown[] = list;
    if (values.length !== names.length)
      return turnDown(
        400,
        `row ${row + 1} has ${values.length} values, and there are ${names.length} columns`,
      );
    for (let at = 0; at < columns.length; at++) columns[at]?.push(values[at]);
  }
  const named = new Map<string, readonly unknown[]>();
  for (const [at, name] of names.entries()) {
    if (signature.inputs.some((input) => input.name === name)) named.set(name, columns[at] ?? []);
    else if (strangers === "refuse") return stranger(signature, name, null);
  }
  return fitColumns(described, lists.length, named);
}

/** Columns of `count` values each. */
export function fitColumns(
  { model, textInput }: DescribedModel,
  count: number,
  columns: ReadonlyMap<string, readonly unknown[]>,
): Reading<AskedRows> {
  const texts = textInput === null ? undefined : columns.get(textInput);
  return textInput !== null && texts !== undefined
    ? fitTexts(textInput, texts)
    : fitRows(model.signature, count, columns);
}

function stranger(signature: Signature, name: string, row: number | null) {
  const where = row === null ? "" : `row ${row + 1}: `;
  return turnDown(400, `${where}the model has no input ${quoted(name)}; it takes ${inputNames(signature)}`);
}

/** A column that no row has is missing as a whole, which is another sentence than a row that lacks its value. */
function withoutAbsent(signature: Signature, columns: ReadonlyMap<string, readonly unknown[]>) {
  const present = [...columns].filter(([, values]) => values.some((value) => value !== undefined));
  return signature.inputs.length === 1 ? columns : new Map(present);
}
