/**
 * How far a regression's numbers lie from the true ones, split by split: quantiles, a histogram, means along what was predicted,
 * and the rows that were missed most. The error of a row is predicted minus true, in the target's unit: above 0 it was said too high.
 */
import { quantileOfSorted } from "../../numeric/quantile.ts";
import { regressionMetrics, type RegressionMetrics } from "./metric.ts";

/** Of the errors, and of their sizes. */
export const errorShares = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1] as const;
const histogramBins = 30;
/** Of the histogram: what lies further out is counted in the outermost bins, which would else leave the others empty. */
const histogramShare = 0.005;
const groupsMax = 20;
const pointsMax = 1_000;
const worstMax = 20;

export interface PredictedRow {
  /** Of the split, from 0. */
  readonly row: number;
  readonly truth: number;
  readonly predicted: number;
}

export interface SplitErrors {
  readonly rows: number;
  readonly metrics: RegressionMetrics;
  /** Mean error: above 0 it says too much. */
  readonly bias: number;
  readonly quantiles: readonly { readonly share: number; readonly error: number; readonly size: number }[];
  /** Of the errors, bins of equal width from the least up. */
  readonly histogram: readonly { readonly from: number; readonly to: number; readonly rows: number }[];
  /** As many rows each, from what was predicted lowest up. */
  readonly groups: readonly {
    readonly rows: number;
    readonly predicted: number;
    readonly truth: number;
    readonly rmse: number;
  }[];
  /** Rows spread evenly over what is true; all where there are not many. */
  readonly points: readonly PredictedRow[];
  /** Those that were missed most, first. */
  readonly worst: readonly PredictedRow[];
}

/** Row by row. Null without rows. Figures are finite where the numbers are. */
export function splitErrors(truth: ArrayLike<number>, predicted: ArrayLike<number>): SplitErrors | null {
  const rows = Array.from({ length: truth.length }, (_, row): PredictedRow => ({
    row,
    truth: truth[row] ?? 0,
    predicted: predicted[row] ?? 0,
  }));
  if (rows.length === 0) return null;
  const errors = rows.map(errorOf).toSorted((a, b) => a - b);
  const sizes = errors.map(Math.abs).toSorted((a, b) => a - b);
  return {
    rows: rows.length,
    metrics: regressionMetrics(truth, predicted),
    bias: errors.reduce((sum, error) => sum + error, 0) / rows.length,
    quantiles: errorShares.map((share) => ({
      share,
      error: quantileOfSorted(errors, share),
      size: quantileOfSorted(sizes, share),
    })),
    histogram: histogramOf(errors),
    groups: groupsOf(rows),
    points: spread(
      rows.toSorted((a, b) => a.truth - b.truth),
      pointsMax,
    ),
    worst: rows.toSorted((a, b) => Math.abs(errorOf(b)) - Math.abs(errorOf(a))).slice(0, worstMax),
  };
}

export function errorOf({ predicted, truth }: PredictedRow): number {
  return predicted - truth;
}

function histogramOf(sorted: readonly number[]): SplitErrors["histogram"] {
  const from = quantileOfSorted(sorted, histogramShare);
  const to = quantileOfSorted(sorted, 1 - histogramShare);
  const bins = to > from ? histogramBins : 1;
  const width = (to - from) / bins;
  const counts = Array.from({ length: bins }, () => 0);
  for (const error of sorted) {
    const at = width === 0 ? 0 : Math.min(bins - 1, Math.max(0, Math.floor((error - from) / width)));
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts.map((rows, at) => ({ from: from + at * width, to: from + (at + 1) * width, rows }));
}

function groupsOf(rows: readonly PredictedRow[]): SplitErrors["groups"] {
  const sorted = rows.toSorted((a, b) => a.predicted - b.predicted);
  const groups = Math.min(groupsMax, sorted.length);
  return Array.from({ length: groups }, (_, at) => {
    const part = sorted.slice(
      Math.floor((at * sorted.length) / groups),
      Math.floor(((at + 1) * sorted.length) / groups),
    );
    const mean = (of: (row: PredictedRow) => number) =>
      part.reduce((sum, row) => sum + of(row), 0) / part.length;
    return {
      rows: part.length,
      predicted: mean(({ predicted }) => predicted),
      truth: mean(({ truth }) => truth),
      rmse: Math.sqrt(mean((row) => errorOf(row) ** 2)),
    };
  });
}

/** So many of them at even distances, the first and the last among them. */
function spread<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, at) => Math.round((at * (all.length - 1)) / (most - 1))).flatMap(
    (place) => all[place] ?? [],
  );
}
