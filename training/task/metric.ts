/**
 * Metrics of a classifier from its probabilities, and of a regression from its numbers. Definitions as in
 * scikit-learn's `metrics`; calibration as in Guo et al. 2017 (arXiv 1706.04599). What they look like per
 * label is in `classification-report.ts`.
 */
import type { ReportedBin, SplitReport } from "./classification-report.ts";

/** Probabilities below this count as this in the log loss, so that one sure mistake is not infinite. */
const probabilityMin = 1e-15;
/** Equal-width bins of the calibration error, as in the paper. */
export const calibrationBins = 15;

export interface ClassificationMetrics {
  readonly accuracy: number;
  /** Unweighted mean of the labels' F1; a label neither present nor predicted is left out. */
  readonly macroF1: number;
  /** Mean of -ln(probability of the true label), in nats. */
  readonly logLoss: number;
  /**
   * Expected calibration error, 0 to 1: how far accuracy lies from confidence, over equal-width bins of the
   * probability of the predicted label, weighted by their rows.
   */
  readonly calibrationError: number;
}

export class MetricTally {
  readonly #labels: number;
  /** [true label, predicted label]. */
  readonly #confusion: Int32Array;
  readonly #binRows = new Int32Array(calibrationBins);
  readonly #binHits = new Int32Array(calibrationBins);
  readonly #binConfidence = new Float64Array(calibrationBins);
  #rows = 0;
  #loss = 0;

  constructor(labels: number) {
    this.#labels = labels;
    this.#confusion = new Int32Array(labels * labels);
  }

  /** One row: `probabilities[at .. at + labels)` and its true label. */
  add(probabilities: ArrayLike<number>, at: number, label: number): void {
    let best = 0;
    let bestValue = -1;
    for (let index = 0; index < this.#labels; index++) {
      const value = probabilities[at + index] ?? 0;
      if (value > bestValue) {
        best = index;
        bestValue = value;
      }
    }
    this.#rows++;
    this.#loss -= Math.log(Math.max(probabilityMin, probabilities[at + label] ?? 0));
    increase(this.#confusion, label * this.#labels + best, 1);
    // Bin m holds confidences in ((m - 1) / bins, m / bins].
    const bin = Math.min(calibrationBins - 1, Math.max(0, Math.ceil(bestValue * calibrationBins) - 1));
    increase(this.#binRows, bin, 1);
    increase(this.#binConfidence, bin, bestValue);
    if (best === label) increase(this.#binHits, bin, 1);
  }

  /** All zero when no row was added: an empty split has no metrics worth a number. */
  result(): ClassificationMetrics {
    if (this.#rows === 0) return { accuracy: 0, macroF1: 0, logLoss: 0, calibrationError: 0 };
    let hits = 0;
    let f1 = 0;
    let present = 0;
    for (let label = 0; label < this.#labels; label++) {
      const hit = this.#cell(label, label);
      let total = 0;
      for (let other = 0; other < this.#labels; other++)
        total += this.#cell(label, other) + this.#cell(other, label);
      hits += hit;
      if (total === 0) continue;
      present++;
      f1 += (2 * hit) / total;
    }
    let gap = 0;
    for (const { confidence, hits: right } of this.#bins()) gap += Math.abs(confidence - right);
    return {
      accuracy: hits / this.#rows,
      macroF1: f1 / present,
      logLoss: this.#loss / this.#rows,
      calibrationError: gap / this.#rows,
    };
  }

  /** The counts behind the metrics. */
  report(): SplitReport {
    const confusion: [number, number, number][] = [];
    for (let label = 0; label < this.#labels; label++) {
      for (let predicted = 0; predicted < this.#labels; predicted++) {
        const rows = this.#cell(label, predicted);
        if (rows > 0) confusion.push([label, predicted, rows]);
      }
    }
    return {
      rows: this.#rows,
      logLoss: this.#rows === 0 ? 0 : this.#loss / this.#rows,
      confusion,
      bins: this.#bins(),
    };
  }

  #cell(label: number, predicted: number): number {
    return this.#confusion[label * this.#labels + predicted] ?? 0;
  }

  #bins(): ReportedBin[] {
    return Array.from({ length: calibrationBins }, (_, bin) => ({
      rows: this.#binRows[bin] ?? 0,
      confidence: this.#binConfidence[bin] ?? 0,
      hits: this.#binHits[bin] ?? 0,
    }));
  }
}

export interface RegressionMetrics {
  /** Root of the mean squared error, in the target's unit. */
  readonly rmse: number;
  /** Mean absolute error, in the target's unit. */
  readonly mae: number;
  /** Share of the target's variance explained; 0 for always saying the mean, below for worse. */
  readonly r2: number;
}

/**
 * Of predicted against true numbers, row by row. All zero without rows. A target that is the same in every row
 * has r2 1 where it is met exactly and 0 elsewhere, as in scikit-learn.
 */
export function regressionMetrics(truth: ArrayLike<number>, predicted: ArrayLike<number>): RegressionMetrics {
  const rows = truth.length;
  if (rows === 0) return { rmse: 0, mae: 0, r2: 0 };
  let mean = 0;
  for (let row = 0; row < rows; row++) mean += (truth[row] ?? 0) / rows;
  let squares = 0;
  let absolute = 0;
  let variance = 0;
  for (let row = 0; row < rows; row++) {
    const wanted = truth[row] ?? 0;
    const error = wanted - (predicted[row] ?? 0);
    squares += error * error;
    absolute += Math.abs(error);
    variance += (wanted - mean) ** 2;
  }
  const share = squares / variance;
  // Also where the target differs by less than numbers can tell.
  const unexplained = Number.isFinite(share) ? share : squares === 0 ? 0 : 1;
  return { rmse: Math.sqrt(squares / rows), mae: absolute / rows, r2: 1 - unexplained };
}

function increase(counts: Int32Array | Float64Array, at: number, by: number): void {
  counts[at] = (counts[at] ?? 0) + by;
}
