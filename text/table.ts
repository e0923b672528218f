/**
 * Rows as an aligned table of text. Widths count terminal cells, so that any script lines up; a cell is one line, so that
 * nothing in it looks like another row.
 */
import stringWidth from "string-width";
import { printableLine } from "./printable.ts";

export interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => string;
  /** Numbers stand to the right. */
  readonly right?: boolean;
}

const gap = "  ";

/** A header line and one line per row; `none` where there is no row. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], none: string): string {
  if (rows.length === 0) return none;
  const cells = [
    columns.map((column) => printableLine(column.head)),
    ...rows.map((row) => columns.map((column) => printableLine(column.cell(row)))),
  ];
  const widths = columns.map((_, at) => Math.max(...cells.map((line) => stringWidth(line[at] ?? ""))));
  return cells
    .map((line) =>
      line
        .map((text, at) => pad(text, widths[at] ?? 0, columns[at]?.right === true))
        .join(gap)
        .trimEnd(),
    )
    .join("\n");
}

/** `name: value` lines with the values under each other. */
export function fields(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(...entries.map(([name]) => stringWidth(name)));
  return entries.map(([name, value]) => `${pad(name, width, false)}${gap}${printableLine(value)}`).join("\n");
}

function pad(text: string, width: number, right: boolean): string {
  const space = " ".repeat(Math.max(0, width - stringWidth(text)));
  return right ? space + text : text + space;
}
