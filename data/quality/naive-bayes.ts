/**
 * Naive Bayes over which features a row has (multinomial on presence; Wang and Manning 2012, who use it for short texts).
 * Looks at whether a feature is there, not at its value.
 */
import type { FeatureRows } from "./feature-rows.ts";

/** Added to each count, so that nothing is impossible. */
const smoothing = 1;

export interface FeatureLogs {
  /** [width, classes] Log of how likely each feature is in a class. */
  readonly own: Float64Array;
  /** [width, classes] The same in all other classes together. */
  readonly others: Float64Array;
  /** [classes] */
  readonly prior: Float64Array;
}

/** Learnt from `rows` alone. */
export function featureLogs(
  sparse: FeatureRows,
  labels: Int32Array,
  classes: number,
  rows: Int32Array,
): FeatureLogs {
  const counts = new Float64Array(sparse.width * classes);
  const sums = new Float64Array(classes);
  const labelRows = new Float64Array(classes).fill(smoothing);
  for (const row of rows) {
    const label = labels[row] ?? 0;
    labelRows[label] = (labelRows[label] ?? 0) + 1;
    const [from, to] = [sparse.offsets[row] ?? 0, sparse.offsets[row + 1] ?? 0];
    for (let at = from; at < to; at++) {
      const cell = (sparse.features[at] ?? 0) * classes + label;
      counts[cell] = (counts[cell] ?? 0) + 1;
    }
    sums[label] = (sums[label] ?? 0) + to - from;
  }
  const all = sums.reduce((sum, one) => sum + one, 0);
  const spread = smoothing * sparse.width;
  const own = new Float64Array(counts.length);
  const others = new Float64Array(counts.length);
  for (let from = 0; from < counts.length; from += classes) {
    let total = 0;
    for (let label = 0; label < classes; label++) total += counts[from + label] ?? 0;
    for (let label = 0; label < classes; label++) {
      const [count, sum] = [counts[from + label] ?? 0, sums[label] ?? 0];
      own[from + label] = Math.log((count + smoothing) / (sum + spread));
      others[from + label] = Math.log((total - count + smoothing) / (all - sum + spread));
    }
  }
  return {
    own,
    others,
    prior: labelRows.map((count) => Math.log(count / (rows.length + smoothing * classes))),
  };
}

/**
 * Scores of a row, into `scores` from `place` on: its log likelihoods over the root of the number of its features. A long
 * text repeats itself, and naive Bayes, which takes each feature as news, would be the surer the longer the text is.
 */
export function bayesScores(
  { own, prior }: FeatureLogs,
  { features, offsets }: FeatureRows,
  row: number,
  scores: Float64Array,
  place: number,
): void {
  const [from, to] = [offsets[row] ?? 0, offsets[row + 1] ?? 0];
  const scale = 1 / Math.sqrt(1 + to - from);
  for (let label = 0; label < prior.length; label++) {
    let sum = prior[label] ?? 0;
    for (let at = from; at < to; at++) sum += own[(features[at] ?? 0) * prior.length + label] ?? 0;
    scores[place + label] = sum * scale;
  }
}
