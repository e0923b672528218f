/** A sweep's parameters as axes to draw trials along: slices, and lines across several. Positions, no pixels and no characters. */
import { chartAxis, chartValue } from "../insight/chart-axis.ts";
import type { ComparedTrial } from "../insight/compared-trial.ts";
import type { Parameter } from "../insight/insight-parameter.ts";
import type { InsightAxis, InsightView } from "../../protocol/insight-view.ts";

/** More parameters than these cannot be told apart on one screen. */
export const axesMost = 12;
export const slicePointsMost = 60;
export const linesMost = 40;
/** A choice of more values than these is drawn by those its trials have. */
const categoriesMost = 40;

type Slice = InsightView["slices"][number];

interface DrawnAxis {
  readonly parameter: Parameter;
  readonly axis: InsightAxis;
  readonly points: Slice["points"];
  /** From 0 to 1; null where the parameter is inactive. */
  readonly placeOf: (trial: ComparedTrial) => number | null;
}

/** `ordered`: the most important first. `sign` turns a loss into the objective's value. */
export function drawnAxes(
  ordered: readonly Parameter[],
  trials: readonly ComparedTrial[],
  sign: 1 | -1,
): readonly DrawnAxis[] {
  const shown = bestAndNewest(trials);
  return ordered.slice(0, axesMost).map((parameter) => {
    const full = chartAxis(parameter);
    const valueIn = (trial: ComparedTrial) => chartValue(full, parameter, trial);
    const points = shown.flatMap((trial) => {
      const value = valueIn(trial);
      return value === null ? [] : [{ value, score: sign * trial.loss }];
    });
    if (full.kind === "number") {
      const { log, max, min } = full;
      const axis: InsightAxis = { kind: "number", log, min, max };
      return { parameter, axis, points, placeOf: (trial) => placeOn(axis, valueIn(trial)) };
    }
    const drawn = new Set(points.map(({ value }) => value));
    const few = full.categories.length <= categoriesMost;
    const categories = full.categories.filter((each) => few || drawn.has(each));
    const axis: InsightAxis = { kind: "category", categories };
    return { parameter, axis, points, placeOf: (trial) => placeOn(axis, valueIn(trial)) };
  });
}

/** The best trials, each with its place on every axis. */
export function linesAcross(
  axes: readonly DrawnAxis[],
  trials: readonly ComparedTrial[],
  sign: 1 | -1,
): InsightView["lines"] {
  return bestFirst(trials)
    .slice(0, linesMost)
    .map((trial) => ({
      trial: trial.trial,
      score: sign * trial.loss,
      at: axes.map(({ placeOf }) => placeOf(trial)),
    }));
}

function placeOn(axis: InsightAxis, value: number | string | null): number | null {
  if (value === null) return null;
  if (axis.kind === "category") {
    const at = axis.categories.indexOf(String(value));
    if (at < 0) return null;
    return axis.categories.length < 2 ? 0.5 : at / (axis.categories.length - 1);
  }
  const [low, high, at] = axis.log
    ? [Math.log(axis.min), Math.log(axis.max), Math.log(Number(value))]
    : [axis.min, axis.max, Number(value)];
  // What was rounded may lie half a step outside.
  return high > low ? Math.min(1, Math.max(0, (at - low) / (high - low))) : 0.5;
}

/** Two thirds the best, the rest the newest of the others: where the search went, and where it is now. */
function bestAndNewest(trials: readonly ComparedTrial[]): readonly ComparedTrial[] {
  const shown = new Set(bestFirst(trials).slice(0, Math.ceil((slicePointsMost * 2) / 3)));
  for (const trial of trials.toReversed()) {
    if (shown.size >= slicePointsMost) break;
    shown.add(trial);
  }
  return [...shown];
}

function bestFirst(trials: readonly ComparedTrial[]): readonly ComparedTrial[] {
  return trials.toSorted((a, b) => a.loss - b.loss || a.number - b.number);
}
