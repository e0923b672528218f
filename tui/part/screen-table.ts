/**
 * A table of which only the visible rows are made: with thousands of rows it costs as much as with twenty.
 * Columns that do not fit are left out, those of the lowest rank first.
 */
import type { Glyphs } from "../../text/glyph.ts";
import { clipLine, line, span, toned, type Line, type Tone } from "../../text/line.ts";
import { cell, widthOf } from "../../text/width.ts";

export interface TableColumn<Row> {
  readonly title: string;
  readonly width: number;
  readonly align?: "left" | "right";
  /** 0 always stays; of the others, those with the highest number go first when room is short. */
  readonly rank: number;
  /** Takes what room is left over, up to `grow` more columns. */
  readonly grow?: number;
  /** What stands in the cell; `width` is what it really got. */
  readonly text: (row: Row, width: number) => string;
  readonly tone?: (row: Row) => Tone;
}

export interface TableOptions<Row> {
  readonly columns: readonly TableColumn<Row>[];
  readonly rows: readonly Row[];
  /** Index of the selected row; -1 for none. */
  readonly selected: number;
  readonly focused: boolean;
  readonly width: number;
  /** Lines in all, the line of titles included. */
  readonly height: number;
  readonly glyphs: Glyphs;
  readonly empty: string;
}

/** The first visible row, so that the selected one is in sight, about the middle of a long list. */
export function firstVisible(selected: number, count: number, visible: number): number {
  if (count <= visible) return 0;
  return Math.min(Math.max(0, selected - Math.floor(visible / 2)), count - visible);
}

const markWidth = 2;

export function table<Row>(options: TableOptions<Row>): readonly Line[] {
  const { rows, selected, focused, width, height, glyphs } = options;
  if (height <= 0) return [];
  const columns = fitColumns(options.columns, width - markWidth);
  const titles = columns.map((each) => cell(each.title, each.width, glyphs.ellipsis, each.align)).join(" ");
  const head = clipLine(line(span(`${" ".repeat(markWidth)}${titles}`, "dim")), width, glyphs.ellipsis);
  if (rows.length === 0) return [head, line("  ", span(options.empty, "dim"))].slice(0, height);
  const visible = Math.max(0, height - 1);
  const from = firstVisible(selected, rows.length, visible);
  const body = rows.slice(from, from + visible).map((row, index): Line => {
    const chosen = from + index === selected;
    const mark = (chosen ? glyphs.cursor : "").padEnd(markWidth);
    const cells = columns.flatMap((each, column) => [
      span(column === 0 ? "" : " "),
      span(
        cell(each.text(row, each.width), each.width, glyphs.ellipsis, each.align),
        each.tone?.(row) ?? "plain",
      ),
    ]);
    const whole = clipLine(line(span(mark, "accent"), ...cells), width, glyphs.ellipsis);
    return chosen && focused ? toned(whole, "select") : whole;
  });
  return [head, ...body];
}

/** `3/120` for a heading: which row is selected of how many. */
export function position(selected: number, count: number): string {
  return count === 0 ? "none" : `${selected + 1}/${count}`;
}

function fitColumns<Row>(columns: readonly TableColumn<Row>[], width: number): readonly TableColumn<Row>[] {
  let kept = [...columns];
  const total = () => kept.reduce((sum, each) => sum + each.width, 0) + Math.max(0, kept.length - 1);
  while (total() > width && kept.some((each) => each.rank > 0)) {
    const least = Math.max(...kept.map((each) => each.rank));
    const at = kept.findLastIndex((each) => each.rank === least);
    kept = kept.filter((_, index) => index !== at);
  }
  let spare = width - total();
  return kept.map((each) => {
    if (each.grow === undefined || spare <= 0) return each;
    const more = Math.min(each.grow, spare);
    spare -= more;
    return { ...each, width: each.width + more };
  });
}

/** Label and value in two columns, the value wrapped nowhere but cut by the pane. */
export function pair(label: string, of: string, tone: Tone = "plain", labelWidth = 12): Line {
  return line(span(`${label.padEnd(Math.max(labelWidth, widthOf(label) + 1))}`, "dim"), span(of, tone));
}
