/**
 * Finds the most probable hyperparameters for what has been observed, from the same starting points every time. With
 * many points it first finds its way on few of them, where an evaluation is cheap, and then refines on more.
 */
import type { Frame } from "./frame.ts";
import type { Kernel } from "./covariance.ts";
import { kernelOf, negativeLogPosterior, variablesOf } from "./marginal-likelihood.ts";
import { minimise } from "./minimise.ts";

export interface Observed {
  /** One point after another. */
  readonly rows: Float64Array;
  /** Standardised, smaller is better. */
  readonly values: Float64Array;
}

/** Points of the first, coarse fit. */
const coarseMax = 50;
/** Points of the refined fit; hyperparameters change little with more. */
const fineMax = 100;
/** Variables (logarithms) stay within this. */
const bounds = { low: -12, high: 9 };
/** Work of a fit, in units of count³ + 20·count². */
const workMax = 10_000_000;
const evaluationsMax = 60;
/** A coarse fit that is refined need not be exact. */
const coarseEvaluationsMax = 20;
const starts: readonly { weight: number; noise: number }[] = [
  { weight: 1, noise: 1e-2 },
  { weight: 8, noise: 1e-4 },
];

export function fitKernel(frame: Frame, observed: Observed): Kernel {
  const coarse = subset(frame, observed, coarseMax);
  const goal = negativeLogPosterior(frame, coarse.rows, coarse.values);
  const isRefined = observed.values.length > coarse.values.length;
  const most = evaluationsFor(coarse.values.length);
  const limits = {
    firstStep: 1,
    tolerance: 1e-3,
    evaluationsMax: isRefined ? Math.min(most, coarseEvaluationsMax) : most,
  };
  let best: { value: number; variables: Float64Array } | null = null;
  for (const { noise, weight } of starts) {
    const variables = variablesOf({ weights: new Float64Array(frame.size).fill(weight), scale: 1, noise });
    const value = minimise(goal, variables, bounds, limits);
    if (best === null || value < best.value) best = { value, variables };
  }
  if (best === null) throw new Error("broken invariant: a fit without a start");
  if (isRefined) {
    const fine = subset(frame, observed, fineMax);
    minimise(negativeLogPosterior(frame, fine.rows, fine.values), best.variables, bounds, {
      ...limits,
      evaluationsMax: evaluationsFor(fine.values.length),
    });
  }
  return kernelOf(best.variables);
}

function evaluationsFor(count: number): number {
  return Math.max(4, Math.min(evaluationsMax, Math.floor(workMax / (count ** 3 + 20 * count ** 2))));
}

/** All, or the best third of them and an even share of the others in the order they were observed. */
export function subset({ size }: Frame, observed: Observed, most: number): Observed {
  const count = observed.values.length;
  if (count <= most) return observed;
  const byValue = Array.from({ length: count }, (_, row) => row).toSorted(
    (a, b) => (observed.values[a] ?? 0) - (observed.values[b] ?? 0) || a - b,
  );
  const kept = Math.floor(most / 3);
  const chosen = byValue.slice(0, kept);
  const others = byValue.slice(kept).toSorted((a, b) => a - b);
  const stride = others.length / (most - kept);
  for (let index = 0; index < most - kept; index++) {
    const row = others[Math.floor((index + 0.5) * stride)];
    if (row !== undefined) chosen.push(row);
  }
  chosen.sort((a, b) => a - b);
  const rows = new Float64Array(chosen.length * size);
  const values = new Float64Array(chosen.length);
  for (const [to, row] of chosen.entries()) {
    rows.set(observed.rows.subarray(row * size, (row + 1) * size), to * size);
    values[to] = observed.values[row] ?? 0;
  }
  return { rows, values };
}
