/**
 * What a sweep has shown so far, as points and values for a Gaussian process. Trials that failed, or reported no finite
 * value, count as the worst seen, so that they repel. Trials measured at several resources are told apart by a
 * coordinate of their own, so that short runs inform about long ones.
 */
import type { SearchProblem, Observation } from "../sampler/ask.ts";
import type { RandomStream } from "../space/random-stream.ts";
import { encode, frameOf, type Frame } from "./frame.ts";

/** Intermediate values of trials are added while there are no more rows than this. */
const rungRowsMax = 200;
/** Share of the plain sum beside the largest objective: Knowles, ParEGO (2006). */
const sumShare = 0.05;

export interface Study {
  readonly frame: Frame;
  /** Points one after another, in the order of the trials. */
  readonly rows: Float64Array;
  /** One per point, smaller is better. */
  readonly values: readonly number[];
  /** Points of trials without a result yet. */
  readonly pending: readonly Float64Array[];
}

interface Row {
  readonly trial: Observation;
  readonly resource: number;
  readonly values: readonly number[] | null;
}

/** `random` weighs the objectives where there are several. */
export function studyOf(
  problem: SearchProblem,
  history: readonly Observation[],
  random: RandomStream,
): Study {
  const rows = rowsOf(problem, history);
  const resources = rows.map(({ resource }) => resource);
  const lowest = Math.log1p(resources.reduce((a, b) => Math.min(a, b), Infinity));
  const highest = Math.log1p(resources.reduce((a, b) => Math.max(a, b), 0));
  const frame = frameOf(problem.space, highest > lowest);
  const share = (resource: number) =>
    highest > lowest ? (Math.log1p(resource) - lowest) / (highest - lowest) : 1;
  const points = new Float64Array(rows.length * frame.size);
  for (const [index, { resource, trial }] of rows.entries()) {
    encode(
      frame,
      trial.params,
      share(resource),
      points.subarray(index * frame.size, (index + 1) * frame.size),
    );
  }
  const pending = history
    .filter(({ state }) => state === "pending")
    .map(({ params }) => {
      const point = new Float64Array(frame.size);
      encode(frame, params, 1, point);
      return point;
    });
  const found = rows.map(({ values }) => values);
  return {
    frame,
    rows: points,
    values: withWorst(
      problem.objectives > 1 ? oneNumber(found, random) : found.map((values) => values?.[0] ?? null),
    ),
    pending,
  };
}

/** How many trials have a result to learn from. */
export function resultsIn(history: readonly Observation[]): number {
  return history.filter((trial) => finalOf(trial) !== null).length;
}

function finalOf({ state, values }: Observation): readonly number[] | null {
  return state !== "pending" && state !== "failed" && values !== null && values.every(Number.isFinite)
    ? values
    : null;
}

function rowsOf({ objectives }: SearchProblem, history: readonly Observation[]): readonly Row[] {
  const ended = history.filter(({ state }) => state !== "pending");
  const furthest = ended.reduce((most, { resource }) => Math.max(most, resource), 0);
  const rows = ended.map((trial): Row => {
    const values = finalOf(trial);
    return { trial, values, resource: values === null ? furthest : trial.resource };
  });
  if (objectives > 1) return rows;
  const extra: Row[] = [];
  for (const trial of history.toReversed()) {
    for (const { resource, value } of trial.rungs) {
      const isFinal = trial.state !== "pending" && resource === trial.resource;
      if (rows.length + extra.length >= rungRowsMax || isFinal || !Number.isFinite(value)) continue;
      extra.push({ trial, resource, values: [value] });
    }
  }
  return [...rows, ...extra.toReversed()];
}

function withWorst(values: readonly (number | null)[]): readonly number[] {
  const worst = values.reduce<number>((most, value) => Math.max(most, value ?? -Infinity), -Infinity);
  return values.map((value) => value ?? worst);
}

/** An augmented Chebyshev sum of the objectives, each from 0 to 1 over what has been seen, with random weights. */
function oneNumber(
  found: readonly (readonly number[] | null)[],
  random: RandomStream,
): readonly (number | null)[] {
  const seen = found.filter((values) => values !== null);
  const objectives = seen[0]?.length ?? 0;
  const gaps = Array.from({ length: objectives }, () => -Math.log(1 - random.next()));
  const total = gaps.reduce((sum, gap) => sum + gap, 0);
  // Halves, so that no difference of finite numbers overflows.
  const ranges = Array.from({ length: objectives }, (_, objective) => {
    const own = seen.map((values) => values[objective] ?? 0);
    const low = own.reduce((a, b) => Math.min(a, b), Infinity);
    return { low, width: own.reduce((a, b) => Math.max(a, b), -Infinity) / 2 - low / 2 || 1 };
  });
  return found.map((values) => {
    if (values === null) return null;
    const parts = values.map((value, objective) => {
      const { low, width } = ranges[objective] ?? { low: 0, width: 1 };
      return ((gaps[objective] ?? 0) / total) * ((value / 2 - low / 2) / width);
    });
    return Math.max(...parts) + sumShare * parts.reduce((sum, part) => sum + part, 0);
  });
}
