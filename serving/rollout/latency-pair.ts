/**
 * Whether one version answers callers later than another: each time of the one is held against the nearest time of the other, once. The other's is
 * stretched by what is tolerated first, and both against a threshold from earlier times, so that where the one is not slower than that, the
 * differences have a mean of at most 0. Pairs that lie close share what the machine did to both.
 */
import { quantile } from "../../numeric/quantile.ts";

/** What a caller may notice: times so much longer, and by more than this. */
const toleratedRatio = 1.5;
const toleratedMs = 1;
/** The threshold: this quantile of the newest stretched times, made anew after so many. */
const thresholdQuantile = 0.75;
const timesKept = 128;
const timesBetweenThresholds = 32;
/** A version that has just been loaded may be slow at first. */
const warmingAnswers = 32;

/** Of the two times of one request that both were asked alone, one after the other: 1 where only the challenger took too long beside the incumbent, -1 the other way round. */
export function slowerAlone(incumbentMs: number, challengerMs: number): -1 | 0 | 1 {
  if (challengerMs > incumbentMs * toleratedRatio + toleratedMs) return 1;
  return incumbentMs > challengerMs * toleratedRatio + toleratedMs ? -1 : 0;
}

export class LatencyPair {
  readonly #kept: number[] = [];
  #heard = 0;
  #threshold: number | null = null;
  #incumbent: number | null = null;
  #challenger: number | null = null;
  #warming = warmingAnswers;

  /** Milliseconds from when it was asked to its answer. Gives 1, 0 or -1 of each pair that is whole, null before: 1 where only the challenger was late. */
  incumbent(ms: number): -1 | 0 | 1 | null {
    const stretched = ms * toleratedRatio + toleratedMs;
    this.#kept[this.#heard++ % timesKept] = stretched;
    this.#incumbent = stretched;
    const difference = this.#judge();
    if (this.#heard % timesBetweenThresholds === 0) this.#threshold = quantile(this.#kept, thresholdQuantile);
    return difference;
  }

  challenger(ms: number): -1 | 0 | 1 | null {
    if (this.#warming > 0) {
      this.#warming--;
      return null;
    }
    this.#challenger = ms;
    return this.#judge();
  }

  #judge(): -1 | 0 | 1 | null {
    const [incumbent, challenger, threshold] = [this.#incumbent, this.#challenger, this.#threshold];
    if (incumbent === null || challenger === null || threshold === null) return null;
    this.#incumbent = null;
    this.#challenger = null;
    const [one, other] = [challenger > threshold, incumbent > threshold];
    if (one === other) return 0;
    return one ? 1 : -1;
  }
}
