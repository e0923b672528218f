/** Metrics of a classifier from its probabilities. Definitions as in scikit-learn's `metrics`. */

/** Probabilities below this count as this in the log loss, so that one sure mistake is not infinite. */
const probabilityMin = 1e-15;

export interface ClassificationMetrics {
  readonly accuracy: number;
  /** Unweighted mean of the labels' F1; a label neither present nor predicted is left out. */
  readonly macroF1: number;
  /** Mean of -ln(probability of the true label), in nats. */
  readonly logLoss: number;
}

export class MetricTally {
  readonly #hits: Float64Array;
  readonly #predicted: Float64Array;
  readonly #actual: Float64Array;
  #rows = 0;
  #loss = 0;

  constructor(labels: number) {
    this.#hits = new Float64Array(labels);
    this.#predicted = new Float64Array(labels);
    this.#actual = new Float64Array(labels);
  }

  /** One row: `probabilities[at .. at + labels)` and its true label. */
  add(probabilities: ArrayLike<number>, at: number, label: number): void {
    let best = 0;
    let bestValue = -1;
    for (let index = 0; index < this.#hits.length; index++) {
      const value = probabilities[at + index] ?? 0;
      if (value > bestValue) {
        best = index;
        bestValue = value;
      }
    }
    this.#rows++;
    this.#loss -= Math.log(Math.max(probabilityMin, probabilities[at + label] ?? 0));
    this.#predicted[best] = (this.#predicted[best] ?? 0) + 1;
    this.#actual[label] = (this.#actual[label] ?? 0) + 1;
    if (best === label) this.#hits[best] = (this.#hits[best] ?? 0) + 1;
  }

  /** All zero when no row was added: an empty split has no metrics worth a number. */
  result(): ClassificationMetrics {
    if (this.#rows === 0) return { accuracy: 0, macroF1: 0, logLoss: 0 };
    let hits = 0;
    let f1 = 0;
    let present = 0;
    for (let index = 0; index < this.#hits.length; index++) {
      const hit = this.#hits[index] ?? 0;
      const total = (this.#predicted[index] ?? 0) + (this.#actual[index] ?? 0);
      hits += hit;
      if (total === 0) continue;
      present++;
      f1 += (2 * hit) / total;
    }
    return { accuracy: hits / this.#rows, macroF1: f1 / present, logLoss: this.#loss / this.#rows };
  }
}
