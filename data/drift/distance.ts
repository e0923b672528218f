/**
 * How far two distributions are apart: of numbers by Wasserstein's first distance (as `scipy.stats.wasserstein_distance`),
 * of counts by Jensen and Shannon's (as `scipy.spatial.distance.jensenshannon` with base 2) and by the population
 * stability index.
 */
import { sumOf } from "../../numeric/moment.ts";
import { quantileOfSorted } from "../../numeric/quantile.ts";

/** The area between the distribution functions, in the values' own unit. Both sorted ascending and not empty. */
export function wasserstein(a: Float64Array, b: Float64Array): number {
  let [inA, inB, area] = [0, 0, 0];
  let at = Math.min(a[0] ?? 0, b[0] ?? 0);
  while (inA < a.length || inB < b.length) {
    const nextA = a[inA] ?? Number.POSITIVE_INFINITY;
    const nextB = b[inB] ?? Number.POSITIVE_INFINITY;
    const next = Math.min(nextA, nextB);
    area += Math.abs(inA / a.length - inB / b.length) * (next - at);
    at = next;
    if (nextA === next) inA++;
    if (nextB === next) inB++;
  }
  return area;
}

/** In [0, 1]; 1 where nothing is in common. Counts of the same things in the same order; neither all zero. */
export function jensenShannon(a: readonly number[], b: readonly number[]): number {
  const [sumA, sumB] = [sumOf(a), sumOf(b)];
  let divergence = 0;
  for (const [at, count] of a.entries()) {
    const p = count / sumA;
    const q = (b[at] ?? 0) / sumB;
    const middle = (p + q) / 2;
    if (p > 0) divergence += p * Math.log2(p / middle);
    if (q > 0) divergence += q * Math.log2(q / middle);
  }
  return Math.sqrt(Math.max(0, divergence / 2));
}

/** What an empty bin counts as: without it one missing value would make the index infinite. */
export const emptyBinShare = 1e-4;

/** Σ (b - a) ln(b / a) over the shares of the bins. */
export function stabilityIndex(a: readonly number[], b: readonly number[]): number {
  const [sumA, sumB] = [sumOf(a), sumOf(b)];
  let index = 0;
  for (const [at, count] of a.entries()) {
    const p = Math.max(emptyBinShare, count / sumA);
    const q = Math.max(emptyBinShare, (b[at] ?? 0) / sumB);
    index += (q - p) * Math.log(q / p);
  }
  return index;
}

export const stabilityBins = 10;

/**
 * Inner bounds of the bins for the index: the reference's tenths (type 7 quantiles, as numpy's default), equal ones once.
 * Bin i holds values above bound i - 1 up to bound i.
 */
export function tenthsOf(sorted: Float64Array): readonly number[] {
  const bounds = new Set<number>();
  for (let tenth = 1; tenth < stabilityBins; tenth++)
    bounds.add(quantileOfSorted(sorted, tenth / stabilityBins));
  return [...bounds];
}

/** Values per bin. */
export function binned(sorted: Float64Array, bounds: readonly number[]): readonly number[] {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let bin = 0;
  for (const value of sorted) {
    while (bin < bounds.length && value > (bounds[bin] ?? 0)) bin++;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}
