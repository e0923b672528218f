/**
 * A column of a list as programs and conditions see it: a name, a type, and the cell of a row. What a table in the terminal
 * shows is in `cli/print`, which rounds and shortens; nothing here does.
 */

/** `time` is ms since the Unix epoch, `whole` a whole number up to 2^53. */
export type ColumnType = "text" | "whole" | "number" | "boolean" | "time";

/** Several texts where a row has several, such as the agents of a trial; null where it has none. */
export type Cell = string | number | boolean | null | readonly string[];

export interface ListColumn<Row> {
  readonly name: string;
  readonly type: ColumnType;
  readonly cell: (row: Row) => Cell;
}

export function text<Row>(name: string, cell: (row: Row) => Cell): ListColumn<Row> {
  return { name, type: "text", cell };
}

export function whole<Row>(name: string, cell: (row: Row) => number | null): ListColumn<Row> {
  return { name, type: "whole", cell };
}

export function figure<Row>(name: string, cell: (row: Row) => number | null): ListColumn<Row> {
  return { name, type: "number", cell };
}

export function moment<Row>(name: string, cell: (row: Row) => number | null): ListColumn<Row> {
  return { name, type: "time", cell };
}
