/**
 * What a name in a condition means in a list: a column of the list's own, or a name that people gave, such as a parameter or a
 * metric. A name that could mean two things is refused with the spellings that mean one.
 */
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { valueIn, type Params } from "../../protocol/value.ts";
import { quotedName, shownName } from "../../text/printable.ts";
import type { Cell, ColumnType, ListColumn } from "./list-column.ts";

/** Names that people gave, written `PREFIX.NAME` or, where nothing else is called so, as they are. */
export interface NamedFields<Row> {
  readonly prefix: string;
  /** What one is, in a sentence: `a parameter`. */
  readonly what: string;
  /** `text` where a value may be of any kind. */
  readonly type: "number" | "text";
  readonly valuesOf: (row: Row) => Params;
  /** Known also where no row has it. */
  readonly declared?: Iterable<string>;
}

export interface ListFields<Row> {
  /** What a row is, in one word, which is also the prefix of the list's own columns: `trial`. */
  readonly row: string;
  readonly columns: readonly ListColumn<Row>[];
  readonly named: readonly NamedFields<Row>[];
}

/** A name's meaning. */
export interface RowField<Row> {
  readonly type: ColumnType;
  /** Its values may be of any kind. */
  readonly isMixed: boolean;
  readonly cell: (row: Row) => Cell;
}

interface Meaning<Row> {
  readonly spelling: string;
  readonly what: string;
  readonly field: RowField<Row>;
}

export function fieldNamed<Row>(
  name: string,
  fields: ListFields<Row>,
  rows: readonly Row[],
): Outcome<RowField<Row>> {
  const known = fields.named.map((group) => ({ group, names: namesOf(group, rows) }));
  for (const { group, names } of known) {
    const own = name.startsWith(`${group.prefix}.`) ? name.slice(group.prefix.length + 1) : null;
    if (own !== null && names.has(own)) return accept(namedField(group, own));
  }
  const prefix = `${fields.row}.`;
  const column = (wanted: string) => fields.columns.find((each) => each.name === wanted);
  const explicit = name.startsWith(prefix) ? column(name.slice(prefix.length)) : undefined;
  if (explicit !== undefined) return accept(columnField(explicit));
  const own = column(name);
  const meanings: readonly Meaning<Row>[] = [
    ...(own === undefined
      ? []
      : [{ spelling: `${prefix}${name}`, what: `a column of every ${fields.row}`, field: columnField(own) }]),
    ...known
      .filter(({ names }) => names.has(name))
      .map(({ group }) => ({
        spelling: `${group.prefix}.${name}`,
        what: group.what,
        field: namedField(group, name),
      })),
  ];
  const [only, another] = meanings;
  if (only === undefined)
    return unknown(
      name,
      fields,
      known.flatMap(({ names }) => [...names]),
    );
  if (another === undefined) return accept(only.field);
  const said = meanings.map(({ spelling, what }) => `${shownName(spelling)} for ${what}`);
  return refuse("invalid", `${quotedName(name)} means more than one thing here; write ${said.join(", or ")}`);
}

function namesOf<Row>(
  { declared = [], valuesOf }: NamedFields<Row>,
  rows: readonly Row[],
): ReadonlySet<string> {
  const names = new Set(declared);
  for (const row of rows) for (const name of Object.keys(valuesOf(row))) names.add(name);
  return names;
}

function columnField<Row>({ cell, type }: ListColumn<Row>): RowField<Row> {
  return { type, cell, isMixed: false };
}

function namedField<Row>({ type, valuesOf }: NamedFields<Row>, name: string): RowField<Row> {
  return { type, cell: (row) => valueIn(valuesOf(row), name) ?? null, isMixed: type === "text" };
}

function unknown<Row>(
  name: string,
  { columns, row }: ListFields<Row>,
  named: readonly string[],
): Outcome<never> {
  const all = [...named, ...columns.map((column) => column.name)];
  return refuse("unknown", `no ${row} has ${quotedName(name)}; ${suggestion(name, new Set(all))}`);
}
