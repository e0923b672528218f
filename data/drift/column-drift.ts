/**
 * Whether one column of a dataset is like the same column of another. Which test decides depends on the size of the
 * reference (`a`): a p-value where it is small, a distance above, for with many rows every difference is significant.
 */
import * as z from "zod";
import { storedText, storedList } from "../../protocol/bound.ts";
import { meanOf, sumOf, varianceOf } from "../../numeric/moment.ts";
import { chiSquare } from "./chi-square.ts";
import { binned, jensenShannon, stabilityIndex, tenthsOf, wasserstein } from "./distance.ts";
import { kolmogorovSmirnov } from "./kolmogorov-smirnov.ts";

export const smallReferenceRows = 1000;
export const significance = 0.05;
export const distanceThreshold = 0.1;
export const stabilityThresholds = { some: 0.1, much: 0.2 } as const;
const binsMost = 20;
/** Categories that charts show; the tests see all of them. */
const categoriesShown = 20;

const finite = z.number();
export const columnDriftSchema = z.strictObject({
  column: storedText,
  kind: z.enum(["number", "category"]),
  /** Values present on either side. */
  rows: z.strictObject({ a: z.int().nonnegative(), b: z.int().nonnegative() }),
  missing: z.strictObject({ a: z.int().nonnegative(), b: z.int().nonnegative() }),
  /** The test that decides. `wasserstein` is divided by the reference's standard deviation. */
  test: z.enum(["kolmogorov-smirnov", "chi-square", "wasserstein", "jensen-shannon", "none"]),
  statistic: finite,
  /** null where a distance decides. */
  pValue: finite.nullable(),
  /** Drift is said below this p-value, or from this distance on. */
  threshold: finite,
  drifted: z.boolean(),
  stability: z.strictObject({ index: finite, verdict: z.enum(["none", "some", "much"]) }),
  means: z.strictObject({ a: finite.nullable(), b: finite.nullable() }),
  /** Shares side by side, for a picture: of bins of equal width, or of the most frequent categories. */
  shares: storedList(z.strictObject({ name: storedText, a: finite, b: finite })),
});
export type ColumnDrift = z.infer<typeof columnDriftSchema>;

export interface NumberColumn {
  readonly kind: "number";
  /** Sorted ascending, finite. */
  readonly values: Float64Array;
  readonly missing: number;
}
export interface CategoryColumn {
  readonly kind: "category";
  readonly counts: ReadonlyMap<string, number>;
  readonly missing: number;
}

export function numberDrift(column: string, a: NumberColumn, b: NumberColumn): ColumnDrift {
  const base = {
    column,
    kind: "number" as const,
    rows: { a: a.values.length, b: b.values.length },
    missing: { a: a.missing, b: b.missing },
    means: { a: mean(a.values), b: mean(b.values) },
  };
  if (a.values.length === 0 || b.values.length === 0) return { ...base, ...undecided };
  const bounds = tenthsOf(a.values);
  const common = {
    ...base,
    stability: stabilityOf(binned(a.values, bounds), binned(b.values, bounds)),
    shares: histogram(a.values, b.values),
  };
  if (a.values.length <= smallReferenceRows) {
    const { pValue, statistic } = kolmogorovSmirnov(a.values, b.values);
    return {
      ...common,
      test: "kolmogorov-smirnov",
      statistic,
      pValue,
      threshold: significance,
      drifted: pValue < significance,
    };
  }
  const spread = Math.sqrt(varianceOf(a.values));
  const apart = wasserstein(a.values, b.values);
  // A constant reference has no unit to measure in: any difference at all is drift.
  const statistic = spread === 0 ? Number(apart > 0) : apart / spread;
  return {
    ...common,
    test: "wasserstein",
    statistic,
    pValue: null,
    threshold: distanceThreshold,
    drifted: statistic >= distanceThreshold,
  };
}

export function categoryDrift(column: string, a: CategoryColumn, b: CategoryColumn): ColumnDrift {
  const names = [...new Set([...a.counts.keys(), ...b.counts.keys()])];
  const inA = names.map((name) => a.counts.get(name) ?? 0);
  const inB = names.map((name) => b.counts.get(name) ?? 0);
  const rows = { a: sumOf(inA), b: sumOf(inB) };
  const base = {
    column,
    kind: "category" as const,
    rows,
    missing: { a: a.missing, b: b.missing },
    means: { a: null, b: null },
  };
  if (rows.a === 0 || rows.b === 0) return { ...base, ...undecided };
  const shares = names
    .map((name, at) => ({ name, a: (inA[at] ?? 0) / rows.a, b: (inB[at] ?? 0) / rows.b }))
    .sort((one, other) => other.a + other.b - one.a - one.b || (one.name < other.name ? -1 : 1))
    .slice(0, categoriesShown);
  const common = { ...base, stability: stabilityOf(inA, inB), shares };
  if (rows.a <= smallReferenceRows) {
    const { pValue, statistic } = chiSquare([inA, inB], false);
    return {
      ...common,
      test: "chi-square",
      statistic,
      pValue,
      threshold: significance,
      drifted: pValue < significance,
    };
  }
  const statistic = jensenShannon(inA, inB);
  return {
    ...common,
    test: "jensen-shannon",
    statistic,
    pValue: null,
    threshold: distanceThreshold,
    drifted: statistic >= distanceThreshold,
  };
}

/** Without a value on one side nothing can be said. */
const undecided = {
  test: "none",
  statistic: 0,
  pValue: null,
  threshold: 0,
  drifted: false,
  stability: { index: 0, verdict: "none" },
  shares: [],
} as const satisfies Partial<ColumnDrift>;

function stabilityOf(a: readonly number[], b: readonly number[]): ColumnDrift["stability"] {
  const index = stabilityIndex(a, b);
  const { much, some } = stabilityThresholds;
  return { index, verdict: index > much ? "much" : index > some ? "some" : "none" };
}

function histogram(a: Float64Array, b: Float64Array): ColumnDrift["shares"] {
  const least = Math.min(a[0] ?? 0, b[0] ?? 0);
  const most = Math.max(a.at(-1) ?? 0, b.at(-1) ?? 0);
  const bins = most === least ? 1 : binsMost;
  const width = (most - least) / bins;
  const inner = Array.from({ length: bins - 1 }, (_, at) => least + (at + 1) * width);
  const inA = binned(a, inner);
  const inB = binned(b, inner);
  return inA.map((count, at) => ({
    name: `${short(least + at * width)} to ${short(least + (at + 1) * width)}`,
    a: count / a.length,
    b: (inB[at] ?? 0) / b.length,
  }));
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function mean(values: Float64Array): number | null {
  return values.length === 0 ? null : meanOf(values);
}
