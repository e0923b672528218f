/** Counts in buckets with upper bounds, as Prometheus has them; one addition for each observation. */
export interface Histogram {
  /** Upper bounds, rising; what is above the last counts in one bucket more. */
  readonly bounds: readonly number[];
  readonly counts: Float64Array;
  sum: number;
}

export function newHistogram(bounds: readonly number[]): Histogram {
  return { bounds, counts: new Float64Array(bounds.length + 1), sum: 0 };
}

export function observe(histogram: Histogram, value: number): void {
  const { bounds, counts } = histogram;
  let at = 0;
  while (at < bounds.length && value > (bounds[at] ?? 0)) at++;
  counts[at] = (counts[at] ?? 0) + 1;
  histogram.sum += value;
}

export function observedCount({ counts }: Histogram): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
