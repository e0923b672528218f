/**
 * What one sweep has taught, over the whole screen: two columns where there is room, else one that scrolls. It lays out; the
 * drawings are `insight-charts.ts`, the figures the coordinator's.
 */
import type { InsightView } from "../../protocol/insight-view.ts";
import { answerTo, refusalTo } from "../model/mesh-data.ts";
import { insightWant } from "../model/list.ts";
import { insightScales, type Insight } from "../model/ui.ts";
import { beside, besideGap, fitHeight, heading } from "../part/pane.ts";
import { value } from "../../text/format.ts";
import { blank, line, span, type Line } from "../../text/line.ts";
import { wrap } from "../../text/width.ts";
import { bestCurve, betterOf, importanceBars, linesDrawn, sliceChart, trialLines } from "./insight-charts.ts";
import { twoFrom, waitingFor, type View } from "../part/screen-view.ts";

/** Two columns need so many rows to show whole drawings. */
const twoFromRows = 24;
/** Rows of one drawing, its title not counted. */
const chartRows = 9;
const sliceRows = 7;
const linesRows = 13;
/** A curve gains nothing by being taller. */
const curveRowsMost = 16;
const importanceRowsMost = 10;
const frontRowsMost = 6;
const slicesShown = 2;

export function insightLines(view: View, insight: Insight): readonly Line[] {
  const { data, glyphs, height, width } = view;
  const want = insightWant(insight.sweep);
  const answer = answerTo(data, want);
  if (answer === null) {
    return [
      heading(`${insight.sweep}: what it has taught`, width, true, glyphs),
      waitingFor(view, "what it has taught", refusalTo(data, want)),
    ];
  }
  const title = heading(`${answer.sweep} ${answer.name}: what it has taught`, width, true, glyphs);
  const words = wordsOf(answer, width);
  const left = height - 1 - words.length - 1;
  if (width >= twoFrom && left >= twoFromRows) {
    return [title, ...words, blank, ...twoColumns(view, answer, insight, left)];
  }
  const rows = [...words, ...oneColumn(view, answer, insight)];
  const from = Math.min(insight.offset, Math.max(0, rows.length - (height - 1)));
  return [title, ...rows.slice(from, from + height - 1)];
}

function wordsOf(answer: InsightView, width: number): readonly Line[] {
  const said = (text: string) => wrap(text, width);
  return [
    ...said(answer.sentence).map((each) => line(span(each, "strong"))),
    ...said(answer.gainSentence).map((each) =>
      line(span(each, answer.gain?.suggestStop === true ? "warn" : "plain")),
    ),
    ...(answer.note === null
      ? []
      : said(`How it searches: ${answer.note}`).map((each) => line(span(each, "dim")))),
  ];
}

interface Part {
  readonly title: string;
  readonly rows: readonly Line[];
}

function parts(view: View, found: readonly Part[], width: number): readonly Line[] {
  return found
    .filter(({ rows }) => rows.length > 0)
    .flatMap(({ rows, title }) => [heading(title, width, false, view.glyphs), ...rows]);
}

function twoColumns(view: View, answer: InsightView, insight: Insight, height: number): readonly Line[] {
  const { glyphs, width } = view;
  const left = Math.floor((width - besideGap) * 0.42);
  const right = width - besideGap - left;
  const front = frontPart(answer);
  const frontRows = front.rows.length === 0 ? 0 : front.rows.length + 1;
  const bars = importancePart(
    view,
    answer,
    left,
    Math.min(importanceRowsMost, height - frontRows - chartRows - 2),
  );
  const curveRows = Math.min(curveRowsMost, height - frontRows - bars.rows.length - 2);
  const spare = height - frontRows - bars.rows.length - 2 - curveRows;
  // What is left over goes to the next slices.
  const further = answer.slices.slice(slicesShown, slicesShown + Math.floor(spare / (sliceRows + 1)));
  const leftParts = [
    bars,
    front,
    curvePart(view, answer, insight, left, curveRows),
    ...further.map((slice) => slicePart(view, answer, slice, left)),
  ];
  const leftLines = parts(view, leftParts, left);
  const slices = slicesSideBySide(view, answer, right);
  const lineRows = height - 1 - slices.length;
  const rightLines = [...parts(view, [linesPart(view, answer, right, lineRows)], right), ...slices];
  return beside(
    [
      { width: left, lines: leftLines },
      { width: right, lines: rightLines },
    ],
    height,
    glyphs,
  );
}

function slicesSideBySide(view: View, answer: InsightView, width: number): readonly Line[] {
  const shown = answer.slices.slice(0, slicesShown);
  const own = Math.floor((width - besideGap * (shown.length - 1)) / Math.max(1, shown.length));
  const drawn = shown.map((slice) => parts(view, [slicePart(view, answer, slice, own)], own));
  const height = Math.max(0, ...drawn.map(({ length }) => length));
  return beside(
    drawn.map((lines) => ({ width: own, lines })),
    height,
    view.glyphs,
  );
}

function oneColumn(view: View, answer: InsightView, insight: Insight): readonly Line[] {
  const { width } = view;
  return parts(
    view,
    [
      importancePart(view, answer, width, importanceRowsMost),
      frontPart(answer),
      curvePart(view, answer, insight, width, chartRows),
      linesPart(view, answer, width, linesRows),
      ...answer.slices.slice(0, slicesShown).map((slice) => slicePart(view, answer, slice, width)),
    ],
    width,
  );
}

function importancePart(view: View, answer: InsightView, width: number, height: number): Part {
  return {
    title: "Which parameters matter",
    rows: importanceBars(answer.importance, { width, height }, view.glyphs),
  };
}

function curvePart(view: View, answer: InsightView, { scale }: Insight, width: number, height: number): Part {
  const scales = insightScales.map((each) => (each === scale ? `[${each}]` : each)).join(" ");
  const rows = bestCurve(answer, scale, { width, height }, view.glyphs);
  return {
    title: `Best ${answer.metric} so far over ${scales}`,
    rows: rows.map((each) => line(span(each, "accent"))),
  };
}

function linesPart(view: View, answer: InsightView, width: number, height: number): Part {
  const { all, bright } = linesDrawn(answer);
  return {
    title: `The best ${all} trials, the best ${bright} ${view.glyphs.ascii ? "as *" : "bright"}`,
    rows: trialLines(answer, { width, height }, view.glyphs),
  };
}

function slicePart(
  view: View,
  answer: InsightView,
  slice: InsightView["slices"][number],
  width: number,
): Part {
  const log = slice.axis.kind === "number" && slice.axis.log ? " (log)" : "";
  return {
    title: `${answer.metric} along ${slice.parameter}${log}`,
    rows: fitHeight(
      sliceChart(slice, { width, height: sliceRows }, betterOf(answer), view.glyphs),
      slice.points.length === 0 ? 0 : sliceRows,
    ),
  };
}

/** Several objectives: what no other trial beats in all of them. */
function frontPart({ front }: InsightView): Part {
  if (front === null) return { title: "", rows: [] };
  const names = front.objectives.map(({ goal, metric }) => `${metric} (${goal})`).join(", ");
  const shown = front.trials.slice(0, front.count > frontRowsMost ? frontRowsMost - 1 : frontRowsMost);
  const rows = shown.map(({ trial, values }) =>
    line(span(trial.padEnd(9), "strong"), values.map(value).join("  ")),
  );
  const rest = front.count - shown.length;
  return {
    title: `Beaten by none in ${names}`,
    rows: [
      ...rows,
      ...(rest > 0 ? [line(span(`${rest} more`, "dim"))] : []),
      ...(front.count === 0 ? [line(span("no trial has a value in each of them yet", "dim"))] : []),
    ],
  };
}
