/**
 * Count, range, mean, standard deviation, quantiles and a histogram of numbers that stream by; two merge. Mean and
 * squares as Welford (1962), merged as Chan, Golub and LeVeque (1979). The histogram is read off the quantile sketch.
 */
import { Kll, type KllJson } from "../sketch/kll.ts";
import type { Distribution, Histogram } from "./profile.ts";
import { histogramBins, quantileShares } from "./profile-limit.ts";

const smallMost = 2_048;

export class NumberStream {
  #count = 0;
  #mean = 0;
  #squares = 0;
  readonly #sketch: Kll;
  /** How often each small whole number came since the last look at the rest: most lengths, ratings, ages. */
  readonly #small = new Uint32Array(smallMost);
  #smallSeen = false;

  constructor(sketch: Kll = new Kll()) {
    this.#sketch = sketch;
  }

  /** A finite number. */
  add(value: number): void {
    const small = value | 0;
    if (small === value && small >= 0 && small < smallMost) {
      this.#small[small] = (this.#small[small] ?? 0) + 1;
      this.#smallSeen = true;
      return;
    }
    this.#count++;
    const gap = value - this.#mean;
    this.#mean += gap / this.#count;
    this.#squares += gap * (value - this.#mean);
    this.#sketch.add(value);
  }

  merge(other: NumberStream): void {
    this.#settle();
    other.#settle();
    this.#join(other.#count, other.#mean, other.#squares);
    this.#sketch.merge(other.#sketch);
  }

  /** Adds what is known of other numbers: how many, their mean, the squares about it. */
  #join(count: number, mean: number, squares: number): void {
    const all = this.#count + count;
    if (all === 0) return;
    const gap = mean - this.#mean;
    this.#squares += squares + (gap * gap * this.#count * count) / all;
    this.#mean += (gap * count) / all;
    this.#count = all;
  }

  #settle(): void {
    if (!this.#smallSeen) return;
    for (let value = 0; value < smallMost; value++) {
      const times = this.#small[value] ?? 0;
      if (times === 0) continue;
      this.#join(times, value, 0);
      this.#sketch.addMany(value, times);
    }
    this.#small.fill(0);
    this.#smallSeen = false;
  }

  sketch(): KllJson {
    this.#settle();
    return this.#sketch.toJSON();
  }

  distribution(): Distribution {
    this.#settle();
    const some = this.#count > 0;
    const values = some ? this.#sketch.quantiles(quantileShares) : [];
    return {
      count: this.#count,
      min: this.#sketch.min,
      max: this.#sketch.max,
      mean: some ? this.#mean : null,
      sd: this.#count > 1 ? Math.sqrt(this.#squares / (this.#count - 1)) : null,
      quantiles: values.map((value, at) => ({ q: quantileShares[at] ?? 0, value })),
      rankError: this.#sketch.rankError,
      histogram: histogramOf(this.#sketch),
    };
  }

  /** Back from a profile and its sketch. */
  static from(distribution: Distribution, sketch: KllJson): NumberStream {
    const stream = new NumberStream(Kll.from(sketch));
    stream.#count = distribution.count;
    stream.#mean = distribution.mean ?? 0;
    stream.#squares = (distribution.sd ?? 0) ** 2 * Math.max(0, distribution.count - 1);
    return stream;
  }
}

/** Bins of equal width over the range; of whole numbers no bin is narrower than 1. */
function histogramOf(sketch: Kll): Histogram {
  const { min, max } = sketch;
  if (min === null || max === null) return { edges: [], counts: [] };
  const { values, weights } = sketch.weighted();
  const whole =
    Number.isInteger(min) && Number.isInteger(max) && values.every((value) => Number.isInteger(value));
  const width = whole ? Math.max(1, Math.ceil((max - min + 1) / histogramBins)) : (max - min) / histogramBins;
  // A range too wide or too narrow for the arithmetic of doubles is one bin.
  if (width === 0 || !Number.isFinite(width) || min + width === min) {
    return { edges: [min, max], counts: [weights.reduce((sum, weight) => sum + weight, 0)] };
  }
  const bins = whole ? Math.ceil((max - min + 1) / width) : histogramBins;
  const edges = Array.from({ length: bins + 1 }, (_, at) => min + at * width);
  const counts = Array.from({ length: bins }, () => 0);
  for (const [at, value] of values.entries()) {
    const bin = Math.min(bins - 1, Math.floor((value - min) / width));
    counts[bin] = (counts[bin] ?? 0) + (weights[at] ?? 0);
  }
  return { edges, counts };
}
