/**
 * Parallel coordinates in characters: one vertical axis per parameter, one line per trial across them. The best trials are
 * bright; with ASCII they are `*` and the others `.`, so that they are told apart without colour.
 */
import type { Glyphs } from "../glyph.ts";
import { line, span, type Line } from "../line.ts";
import { clipApart } from "../apart.ts";
import { cell } from "../width.ts";
import { openDots } from "./dots.ts";
import { layered } from "./layers.ts";

export interface ParallelAxis {
  readonly name: string;
  /** What stands at its upper and its lower end. */
  readonly top: string;
  readonly bottom: string;
}
export interface ParallelLine {
  /** Along each axis, 0 below to 1 above; null leaves a gap. */
  readonly at: readonly (number | null)[];
  readonly bright: boolean;
}

/** Names and labels need so many columns from one axis to the next. */
export const axisColumnsMin = 11;
const axisColumnsMost = 24;
const plotRowsMin = 4;
const labelRows = 3;

/** How many axes a width has room for. */
export function axesThatFit(width: number): number {
  return Math.floor(width / axisColumnsMin);
}

/** Exactly `height` lines, or none where there is no room, nothing to draw, or fewer than two axes. */
export function parallelChart(
  axes: readonly ParallelAxis[],
  lines: readonly ParallelLine[],
  { height, width }: { readonly width: number; readonly height: number },
  glyphs: Glyphs,
): readonly Line[] {
  const rows = height - labelRows;
  const shown = axes.slice(0, axesThatFit(width));
  if (shown.length < 2 || rows < plotRowsMin || lines.length === 0) return [];
  const gap = Math.min(axisColumnsMost, Math.floor((width - axisColumnsMin) / (shown.length - 1)));
  // The last axis keeps the columns its own labels need.
  const columns = gap * (shown.length - 1) + 1;
  const axisRow = shown.map((_, index) => (index === 0 ? "" : " ".repeat(gap - 1)) + glyphs.down).join("");
  const draw = (bright: boolean) => {
    const dots = openDots(columns, rows, glyphs.ascii);
    const perColumn = dots.across / columns;
    const x = (axis: number) => Math.round(axis * gap * perColumn);
    const y = (at: number) => Math.round((1 - at) * (dots.down - 1));
    for (const each of lines) {
      if (each.bright !== bright) continue;
      for (const [axis, at] of each.at.slice(0, shown.length).entries()) {
        if (at === null) continue;
        dots.set(x(axis), y(at));
        const next = each.at[axis + 1] ?? null;
        if (next !== null && axis + 1 < shown.length) dots.stroke(x(axis), y(at), x(axis + 1), y(next));
      }
    }
    return glyphs.ascii && !bright ? dots.rows().map((row) => row.replaceAll("*", ".")) : dots.rows();
  };
  const plot = layered(
    [
      { rows: Array.from({ length: rows }, () => axisRow), tone: "dim" },
      { rows: draw(false), tone: "dim" },
      { rows: draw(true), tone: "accent" },
    ],
    columns,
    rows,
  );
  const labels = (of: (axis: ParallelAxis) => string) => {
    const apart = clipApart(shown.map(of), gap - 1, glyphs.ellipsis);
    return apart
      .map((label, index) => {
        const room = index === shown.length - 1 ? axisColumnsMin : gap;
        return `${cell(label, room - 1, glyphs.ellipsis)} `;
      })
      .join("");
  };
  return [
    line(
      span(
        labels(({ name }) => name),
        "strong",
      ),
    ),
    line(
      span(
        labels(({ top }) => top),
        "dim",
      ),
    ),
    ...plot,
    line(
      span(
        labels(({ bottom }) => bottom),
        "dim",
      ),
    ),
  ];
}
