/**
 * The neighbourhood of the best trial: a box whose size follows the sweep's fortune (Eriksson and others, Scalable Global
 * Optimization via Local Bayesian Optimization, 2019), and the trials near it. Worked out from the history alone, so
 * nothing has to be remembered.
 */
import type { Frame } from "./frame.ts";
import { difference, type Kernel } from "./covariance.ts";
import type { Study } from "./study.ts";

/** Sides of the box, as shares of an axis. */
const firstSide = 0.8;
const sideMax = 1.6;
const sideMin = 0.005;
/** So many improvements in a row double the box; so many results without one, or one per dimension, halve it. */
const improvementsToGrow = 3;
const failuresToShrink = 4;
/** An improvement is one by this share of the best value. */
const improvementShare = 1e-3;
/** Sides differ by this factor from their mean at most. */
const stretchMax = 4;
/** Trials of the local model: so many per dimension and once more, the nearest, however far they are. */
const nearPerDimension = 10;
const nearMax = 50;

export interface Box {
  readonly low: Float64Array;
  readonly high: Float64Array;
}

interface Region {
  /** Index of the best row. */
  readonly centre: number;
  /** Indices of the nearest rows, in their order. */
  readonly near: readonly number[];
}

export function regionOf({ frame, rows, values }: Study): Region {
  const { size } = frame;
  const centre = indexOfLeast(values);
  const distances = values.map((_, row) => {
    let sum = 0;
    for (let at = 0; at < size; at++)
      sum += difference(frame, at, rows[centre * size + at] ?? 0, rows[row * size + at] ?? 0);
    return sum;
  });
  const near = [...values.keys()]
    .toSorted((a, b) => (distances[a] ?? 0) - (distances[b] ?? 0) || a - b)
    .slice(0, Math.min(nearMax, nearPerDimension * (size + 1)));
  return { centre, near: near.toSorted((a, b) => a - b) };
}

/** Around a point, longer where the local model varies slowly. Categories are not boxed in. */
export function boxAround(frame: Frame, kernel: Kernel, centre: Float64Array, side: number): Box {
  const low = new Float64Array(frame.size);
  const high = new Float64Array(frame.size).fill(1);
  let meanLog = 0;
  for (let at = 0; at < frame.categories; at++)
    meanLog -= Math.log(kernel.weights[at] ?? 1) / 2 / frame.categories;
  for (let at = 0; at < frame.categories; at++) {
    const stretch = 1 / Math.sqrt(kernel.weights[at] ?? 1) / Math.exp(meanLog);
    const half = (side / 2) * Math.min(stretchMax, Math.max(1 / stretchMax, stretch));
    const middle = centre[at] ?? 0.5;
    low[at] = Math.max(0, middle - half);
    high[at] = Math.min(1, middle + half);
  }
  return { low, high };
}

/** The side of the box after the results that followed the start, in their order. */
export function sideAfter(values: readonly number[], start: number, dimensions: number): number {
  let side = firstSide;
  let improvements = 0;
  let failures = 0;
  let best = values.slice(0, start).reduce((a, b) => Math.min(a, b), Infinity);
  for (const value of values.slice(start)) {
    if (value < best - improvementShare * Math.abs(best)) {
      improvements++;
      failures = 0;
      best = value;
    } else {
      failures++;
      improvements = 0;
    }
    if (improvements >= improvementsToGrow) {
      side = Math.min(sideMax, 2 * side);
      improvements = 0;
    }
    if (failures >= Math.max(failuresToShrink, dimensions)) {
      side /= 2;
      failures = 0;
    }
    if (side < sideMin) side = firstSide;
  }
  return side;
}

function indexOfLeast(values: readonly number[]): number {
  let least = 0;
  for (const [index, value] of values.entries()) if (value < (values[least] ?? Infinity)) least = index;
  return least;
}
