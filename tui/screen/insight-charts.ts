/** The single drawings of a sweep's insight: importance as bars, the best so far, lines across the parameters, slices. */
import { percent } from "../../text/figure.ts";
import type { InsightAxis, InsightView } from "../../protocol/insight-view.ts";
import { bar } from "../../text/canvas/bar.ts";
import { lineChart } from "../../text/canvas/chart.ts";
import { axesThatFit, parallelChart, type ParallelAxis } from "../../text/canvas/parallel.ts";
import type { InsightScale } from "../model/ui.ts";
import { duration, tokens, value } from "../../text/format.ts";
import type { Glyphs } from "../../text/glyph.ts";
import { clipApart } from "../../text/apart.ts";
import { formatValue } from "../../text/shown-parameter.ts";
import { line, span, type Line } from "../../text/line.ts";
import { cell } from "../../text/width.ts";

export interface Room {
  readonly width: number;
  readonly height: number;
}

type Slice = InsightView["slices"][number];

const nameColumnsMost = 24;
/** More lines than these hide each other in characters. */
const linesMost = 20;
const brightMost = 5;

/** How many lines are drawn, and how many of them are bright. */
export function linesDrawn({ lines }: InsightView): { readonly all: number; readonly bright: number } {
  const all = Math.min(linesMost, lines.length);
  return { all, bright: Math.min(brightMost, Math.ceil(all / 4)) };
}

/** One row per parameter, cut at `height`; what is cut is said in the last row. */
export function importanceBars(
  importance: InsightView["importance"],
  { height, width }: Room,
  glyphs: Glyphs,
): readonly Line[] {
  if (height <= 0) return [];
  const cut = importance.length > height;
  const shown = importance.slice(0, cut ? height - 1 : height);
  const longest = Math.max(4, ...shown.map(({ parameter }) => parameter.length));
  const names = Math.min(nameColumnsMost, longest, Math.max(4, Math.floor(width / 3)));
  const labels = clipApart(
    shown.map(({ parameter }) => parameter),
    names,
    glyphs.ellipsis,
  );
  const rows = shown.map(({ share }, index) =>
    line(
      `${cell(labels[index] ?? "", names, glyphs.ellipsis)} `,
      span(bar(share, 1, Math.max(0, width - names - 6), glyphs), "accent"),
      ` ${shareText(share)}`,
    ),
  );
  const rest = importance.slice(shown.length);
  if (!cut) return rows;
  const share = rest.reduce((sum, each) => sum + each.share, 0);
  return [...rows, line(span(`${rest.length} more, together ${shareText(share).trim()}`, "dim"))];
}

export function shareText(share: number): string {
  return percent(share).padStart(4);
}

/** Points of the best so far and how their x axis is labelled. */
export function bestCurve(
  view: InsightView,
  scale: InsightScale,
  room: Room,
  glyphs: Glyphs,
): readonly string[] {
  const of: Readonly<Record<InsightScale, (point: InsightView["bestSoFar"][number]) => number>> = {
    trials: ({ trials }) => trials,
    tokens: ({ spent }) => spent,
    time: ({ elapsed }) => elapsed,
  };
  const label: Readonly<Record<InsightScale, (x: number) => string>> = {
    trials: (x) => `trial ${Math.round(x)}`,
    tokens: (x) => `${tokens(x)} tokens`,
    time: (x) => duration(x),
  };
  const points = view.bestSoFar.map((point) => ({ x: of[scale](point), y: point.value }));
  return lineChart(points, { ...room, step: true, xLabel: label[scale] }, glyphs);
}

/** Its last axis is the objective, the better the higher. */
export function trialLines(view: InsightView, room: Room, glyphs: Glyphs): readonly Line[] {
  const count = Math.min(view.slices.length, axesThatFit(room.width) - 1);
  if (count < 1) return [];
  const drawn = linesDrawn(view);
  const shown = view.lines.slice(0, drawn.all);
  const scores = shown.map(({ score }) => score);
  const [best, worst] = [scores[0] ?? 0, scores.at(-1) ?? 0];
  const placeOf = (score: number) => (best === worst ? 0.5 : (score - worst) / (best - worst));
  const axes: ParallelAxis[] = view.slices.slice(0, count).map(({ axis, parameter }) => ({
    name: parameter,
    top: endOf(axis, "top"),
    bottom: endOf(axis, "bottom"),
  }));
  const lines = shown.map(({ at, score }, place) => ({
    at: [...at.slice(0, count), placeOf(score)],
    bright: place < drawn.bright,
  }));
  const objective = { name: view.metric, top: value(best), bottom: value(worst) };
  return parallelChart([...axes, objective], lines, room, glyphs);
}

function endOf(axis: InsightAxis, end: "top" | "bottom"): string {
  if (axis.kind === "number") {
    const at = end === "top" ? axis.max : axis.min;
    return Number.isSafeInteger(at) ? formatValue(at) : value(at);
  }
  return (end === "top" ? axis.categories.at(-1) : axis.categories[0]) ?? "";
}

/** Scores along one parameter: points over its scale, or a row for each category. */
export function sliceChart(
  { axis, points }: Slice,
  room: Room,
  best: Better,
  glyphs: Glyphs,
): readonly Line[] {
  if (axis.kind === "category") return categoryRows(axis.categories, points, room, best, glyphs);
  const { log, max, min } = axis;
  const [low, high] = log ? [Math.log(min), Math.log(max)] : [min, max];
  const placed = points.map((point) => {
    const at = Number(point.value);
    return { x: log ? Math.log(at) : at, y: point.score };
  });
  return lineChart(
    placed,
    { ...room, scatter: true, xMin: low, xMax: high, xLabel: (x) => value(log ? Math.exp(x) : x) },
    glyphs,
  ).map((text) => line(span(text, "accent")));
}

/** Which of some scores is the best. */
export type Better = (scores: readonly number[]) => number;

export function betterOf(view: InsightView): Better {
  return (scores) => (view.goal === "maximize" ? Math.max(...scores) : Math.min(...scores));
}

/** Per category its best score, as a bar within all scores, and how many of the shown trials have it. */
function categoryRows(
  categories: readonly string[],
  points: Slice["points"],
  { height, width }: Room,
  best: Better,
  glyphs: Glyphs,
): readonly Line[] {
  const all = points.map(({ score }) => score);
  const top = best(all);
  // The other end of the scale: the worst there is.
  const bottom = -best(all.map((score) => -score));
  const names = Math.min(
    nameColumnsMost,
    Math.max(4, ...categories.map((each) => each.length)),
    Math.floor(width / 3),
  );
  const labels = clipApart(categories, names, glyphs.ellipsis);
  const rows = categories.map((category, index) => {
    const own = points.filter((point) => String(point.value) === category).map(({ score }) => score);
    const name = `${cell(labels[index] ?? "", names, glyphs.ellipsis)} `;
    if (own.length === 0) return line(name, span("not among these", "dim"));
    const reached = best(own);
    const share = top === bottom ? 1 : (reached - bottom) / (top - bottom);
    const text = ` ${value(reached).padStart(8)} ${`${own.length}${glyphs.times}`.padStart(4)}`;
    return line(
      name,
      span(bar(share, 1, Math.max(0, width - names - text.length - 1), glyphs), "accent"),
      text,
    );
  });
  return rows.slice(0, Math.max(0, height));
}
