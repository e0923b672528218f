/**
 * Matérn 5/2 with one weight (inverse squared lengthscale) per coordinate. Numbers differ by their distance, categories
 * by being different at all, so their order means nothing. A parameter that is inactive on one side only stands at the
 * middle of its axis and half an axis aside: a fixed point, which keeps the kernel positive definite.
 */
import type { Frame } from "./frame.ts";

/** Squared distance of an inactive parameter from the middle of its axis. */
const aside = 0.25;
const root5 = Math.sqrt(5);

/** Hyperparameters; `scale` and `noise` are variances of the standardised values. */
export interface Kernel {
  readonly weights: Float64Array;
  readonly scale: number;
  readonly noise: number;
}

/** The squared difference in one coordinate, before its weight. */
export function difference({ categories, plain }: Frame, coordinate: number, a: number, b: number): number {
  if (coordinate < plain) return (a - b) ** 2;
  if (coordinate >= categories) return a === b ? 0 : 1;
  if (a >= 0 && b >= 0) return (a - b) ** 2;
  if (a < 0 && b < 0) return 0;
  return (Math.max(a, b) - 0.5) ** 2 + aside;
}

/** Half the derivative of `difference` by `a`; zero for categories and where `a` is inactive. */
export function halfGradient({ categories, plain }: Frame, coordinate: number, a: number, b: number): number {
  if (coordinate < plain) return a - b;
  if (coordinate >= categories || a < 0) return 0;
  return b >= 0 ? a - b : a - 0.5;
}

/** Weighted squared distance of the point `x` from the row of `rows` that begins at `from`. */
export function squaredDistance(
  frame: Frame,
  weights: Float64Array,
  x: Float64Array,
  rows: Float64Array,
  from: number,
): number {
  const { categories, plain, size } = frame;
  let sum = 0;
  for (let at = 0; at < plain; at++) {
    const apart = (x[at] ?? 0) - (rows[from + at] ?? 0);
    sum += (weights[at] ?? 0) * apart * apart;
  }
  for (let at = plain; at < categories; at++) {
    sum += (weights[at] ?? 0) * difference(frame, at, x[at] ?? 0, rows[from + at] ?? 0);
  }
  for (let at = categories; at < size; at++) {
    if (x[at] !== rows[from + at]) sum += weights[at] ?? 0;
  }
  return sum;
}

/** Correlation at a squared distance. */
export function matern(squared: number): number {
  const r = root5 * Math.sqrt(squared);
  return (1 + r + (5 / 3) * squared) * Math.exp(-r);
}

/** Derivative of the correlation by the squared distance. */
export function maternGradient(squared: number): number {
  const r = root5 * Math.sqrt(squared);
  return (-5 / 6) * (1 + r) * Math.exp(-r);
}
