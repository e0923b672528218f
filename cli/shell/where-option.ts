/** `--where` and `--sort` of every list, and how a list that was narrowed is printed. */
import { InvalidArgumentError, type Command } from "commander";
import {
  readRowCondition,
  readSortKey,
  type RowCondition,
  type SortKey,
} from "../../client/list/row-condition.ts";
import type { ListFields } from "../../client/list/row-field.ts";
import { isAsked, selectRows, type RowQuery } from "../../client/list/select-rows.ts";
import type { ExitCode } from "../../protocol/exit-code.ts";
import { plural } from "../../protocol/plural.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { printAnswer, type PrintOptions } from "./answer.ts";
import { eachOf } from "./option.ts";
import type { Terminal } from "./terminal.ts";

export type ListOptions = RowQuery & PrintOptions;

function parsed<T>(read: (text: string) => Outcome<T>): (text: string) => T {
  return (text) => {
    const value = read(text);
    if (value.ok) return value.value;
    throw new InvalidArgumentError(value.refusal.message);
  };
}

export const whereFlag: (text: string, before?: readonly RowCondition[]) => RowCondition[] = eachOf(
  parsed(readRowCondition),
);
const sortFlag: (text: string) => SortKey = parsed(readSortKey);

/** `example`: a condition as somebody would ask of this list. */
export function withListFlags(command: Command, example: string): Command {
  return command
    .option(
      "--where <condition>",
      `only rows of which this holds, such as '${example}'; may be given several times`,
      whereFlag,
    )
    .option(
      "--sort <name>",
      "in the order of this column, parameter or metric; -NAME for the largest first",
      sortFlag,
    );
}

/** What a list shows, and of how many rows that are. */
export interface Selected<Row> {
  readonly rows: readonly Row[];
  readonly of: number;
  /** How many are as was asked for: more than are shown, where there is a limit. */
  readonly matching: number;
}

export function selected<Row>(
  rows: readonly Row[],
  fields: ListFields<Row>,
  query: RowQuery,
  limit: number = Number.POSITIVE_INFINITY,
): Outcome<Selected<Row>> {
  const found = selectRows(rows, fields, query);
  if (!found.ok) return found;
  return accept({ rows: found.value.slice(0, limit), of: rows.length, matching: found.value.length });
}

/** An answer of one list, narrowed to what was asked for. `listOf`, `withList`: the list in the answer, and another in its place. */
export function printList<T, Row>(
  terminal: Terminal,
  options: ListOptions,
  answer: Outcome<T>,
  list: {
    readonly fields: ListFields<Row>;
    readonly listOf: (value: T) => readonly Row[];
    readonly withList: (value: T, rows: readonly Row[]) => T;
    readonly text: (value: T) => string;
    readonly limit?: number;
  },
): ExitCode {
  if (!answer.ok || !isAsked(options)) return printAnswer(terminal, options, answer, list.text);
  const rows = selected(list.listOf(answer.value), list.fields, options, list.limit);
  if (!rows.ok) return printAnswer(terminal, options, rows, () => "");
  const narrowed = { ...answer, value: list.withList(answer.value, rows.value.rows) };
  const code = printAnswer(terminal, options, narrowed, (value) =>
    rows.value.matching === 0 && options.json !== true
      ? noneText(list.fields.row, rows.value.of)
      : list.text(value),
  );
  sayNarrowed(terminal, options, list.fields.row, rows.value);
  return code;
}

export function noneText(row: string, of: number): string {
  return of === 0 ? `no ${row} yet` : `none of ${plural(of, row)} is as asked for`;
}

/** How many there are beside those that are shown. */
export function sayNarrowed(
  terminal: Terminal,
  { where = [] }: RowQuery,
  row: string,
  { matching, of, rows }: Selected<unknown>,
): void {
  if (where.length > 0) terminal.note(`trialmesh: ${matching} of ${plural(of, row)} match`);
  if (rows.length < matching)
    terminal.note(`trialmesh: the first ${rows.length} are shown; --limit shows more`);
}
