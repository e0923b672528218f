/**
 * The two-sample Kolmogorov-Smirnov test, two-sided, as `scipy.stats.ks_2samp`: exact by counting paths for samples up to
 * `exactRowsMost`, else by the distribution of one sample of n·m/(n+m) rows (`kolmogorov-tail.ts`).
 */
import { kolmogorovTail } from "./kolmogorov-tail.ts";

/** Of the larger sample; above it counting takes too long, and the other way is close. */
export const exactRowsMost = 10_000;

export interface KolmogorovSmirnov {
  /** The largest difference between the two distribution functions. */
  readonly statistic: number;
  readonly pValue: number;
  readonly exact: boolean;
}

/** Both sorted ascending and not empty, no NaN. */
export function kolmogorovSmirnov(
  a: Float64Array,
  b: Float64Array,
  method: "auto" | "exact" | "asymptotic" = "auto",
): KolmogorovSmirnov {
  const gap = largestGap(a, b);
  const statistic = gap / (a.length * b.length);
  const exact = method === "exact" || (method === "auto" && Math.max(a.length, b.length) <= exactRowsMost);
  if (exact) return { statistic, pValue: pathTail(a.length, b.length, gap), exact };
  const rows = Math.round((a.length / (a.length + b.length)) * b.length);
  return { statistic, pValue: kolmogorovTail(Math.max(1, rows), statistic), exact };
}

/** The largest difference, times both lengths: a whole number. */
function largestGap(a: Float64Array, b: Float64Array): number {
  let [inA, inB, most] = [0, 0, 0];
  while (inA < a.length && inB < b.length) {
    const value = Math.min(a[inA] ?? 0, b[inB] ?? 0);
    while (inA < a.length && a[inA] === value) inA++;
    while (inB < b.length && b[inB] === value) inB++;
    most = Math.max(most, Math.abs(inA * b.length - inB * a.length));
  }
  return most;
}

/**
 * Chance that a random way through an n by m lattice comes as far from the diagonal as `gap`. Sums of what is positive
 * only, so that small chances keep their digits (Viehmann 2021): the last step to (i, j) came from the left with chance i/(i+j).
 */
function pathTail(n: number, m: number, gap: number): number {
  if (gap === 0) return 1;
  const row = new Float64Array(m + 1);
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= m; j++) {
      if (Math.abs(i * m - j * n) >= gap) row[j] = 1;
      else if (i + j === 0) row[j] = 0;
      else row[j] = (i * (i === 0 ? 0 : (row[j] ?? 0)) + j * (j === 0 ? 0 : (row[j - 1] ?? 0))) / (i + j);
    }
  }
  return row[m] ?? 1;
}
