/**
 * A chart in characters: one series, a labelled y axis at the left, x labels below. A line, `step` where it holds each
 * value until the next point, as a best-so-far curve does; or the points alone.
 */
import { value } from "../format.ts";
import type { Glyphs } from "../glyph.ts";
import { openDots } from "./dots.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface ChartOptions {
  /** Columns and rows of the whole, labels included. */
  readonly width: number;
  readonly height: number;
  readonly step?: boolean;
  /** The points in their places and no line between them. */
  readonly scatter?: boolean;
  /** The left end of the x axis, where it lies before the first point. */
  readonly xMin?: number;
  /** The right end of the x axis, where it lies beyond the last point. */
  readonly xMax?: number;
  readonly xLabel?: (x: number) => string;
}

const plotRowsMin = 2;
const plotColumnsMin = 4;

/** Exactly `height` rows, or none where there is nothing to draw or no room for it. */
export function lineChart(
  points: readonly Point[],
  options: ChartOptions,
  glyphs: Glyphs,
): readonly string[] {
  const finite = points.filter((each) => Number.isFinite(each.x) && Number.isFinite(each.y));
  const first = finite[0];
  const last = finite.at(-1);
  if (first === undefined || last === undefined) return [];
  const yLow = Math.min(...finite.map((each) => each.y));
  const yHigh = Math.max(...finite.map((each) => each.y));
  const labels = [value(yHigh), value(yLow)];
  const margin = Math.max(...labels.map((each) => each.length)) + 1;
  const columns = options.width - margin - 1;
  const rows = options.height - 1;
  if (rows < plotRowsMin || columns < plotColumnsMin) return [];

  const xLow = Math.min(options.xMin ?? Infinity, ...finite.map((each) => each.x));
  const xHigh = Math.max(options.xMax ?? -Infinity, ...finite.map((each) => each.x));
  const dots = openDots(columns, rows, glyphs.ascii);
  const toX = (x: number) =>
    xHigh > xLow ? Math.round(((x - xLow) / (xHigh - xLow)) * (dots.across - 1)) : 0;
  // A flat curve runs through the middle, not along an edge.
  const toY = (y: number) =>
    yHigh > yLow ? Math.round(((yHigh - y) / (yHigh - yLow)) * (dots.down - 1)) : Math.floor(dots.down / 2);

  let from = first;
  dots.set(toX(first.x), toY(first.y));
  for (const to of finite.slice(1)) {
    if (options.scatter === true) dots.set(toX(to.x), toY(to.y));
    else if (options.step === true) {
      dots.stroke(toX(from.x), toY(from.y), toX(to.x), toY(from.y));
      dots.stroke(toX(to.x), toY(from.y), toX(to.x), toY(to.y));
    } else {
      dots.stroke(toX(from.x), toY(from.y), toX(to.x), toY(to.y));
    }
    from = to;
  }
  if (options.step === true) dots.stroke(toX(last.x), toY(last.y), toX(xHigh), toY(last.y));

  const flat = yHigh === yLow;
  const middle = Math.floor(rows / 2);
  const body = dots.rows().map((text, row) => {
    const label = flat
      ? row === middle
        ? labels[0]
        : ""
      : row === 0
        ? labels[0]
        : row === rows - 1
          ? labels[1]
          : "";
    return `${(label ?? "").padStart(margin - 1)} ${glyphs.down}${text}`;
  });
  return [...body, axisLabels(xLow, xHigh, margin + 1, columns, options.xLabel ?? value)];
}

function axisLabels(
  low: number,
  high: number,
  margin: number,
  columns: number,
  format: (x: number) => string,
): string {
  const left = format(low);
  const right = high > low ? format(high) : "";
  const gap = columns - left.length - right.length;
  const text = gap >= 1 ? left + " ".repeat(gap) + right : left.slice(0, columns);
  return (" ".repeat(margin) + text).trimEnd();
}
