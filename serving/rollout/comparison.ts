/**
 * ROLL-2, ROLL-3, ROLL-4. One challenger held against the incumbent, on requests that both answered: who failed, whether they agreed, who was right where the truth
 * became known, who was late. Each is a test of its own that may be looked at after every request; their weighted mean is compared with 1/α, so
 * that α holds for all of them together. Not what follows from a verdict.
 */
import { DifferenceBet, ShareBet, type Bet } from "./bet.ts";
import {
  disagreement,
  failedMore,
  isAnswer,
  rightShares,
  type HeardAnswer,
  type KnownTruth,
} from "./heard-answer.ts";
import { LatencyPair, slowerAlone } from "./latency-pair.ts";

export type RolloutTest = "truth" | "agreement" | "errors" | "latency";

export interface ComparisonOptions {
  /** How often a challenger that is no worse may be found worse, at whatever time, of all such. */
  readonly alpha: number;
  /** The share of answers, 0 to 1, that have to be the incumbent's; judged while no truth is known. */
  readonly agreement: number;
}

/** A test has found the challenger worse. */
export interface Verdict {
  readonly test: RolloutTest;
  /** One sentence with the figures. */
  readonly why: string;
}

export interface ComparisonCounts {
  /** Requests that both were asked. */
  pairs: number;
  incumbentFailed: number;
  challengerFailed: number;
  /** Requests that both answered, and the shares of their rows that agreed, summed. */
  compared: number;
  agreed: number;
  /** Requests whose truth became known, and the shares of their rows that each got right, summed. */
  truths: number;
  incumbentRight: number;
  challengerRight: number;
  /** Pairs of times; those where only the challenger was late, and where only the incumbent. */
  times: number;
  challengerLate: number;
  incumbentLate: number;
}

/** A challenger that succeeds in so much less of the requests is to be found soonest. */
const aim = 0.05;
/** Beyond the disagreement that is tolerated. */
const agreementAim = 0.03;
/** Of callers' answers, late where the incumbent's are not. */
const latencyAim = 0.1;
/** A version that has just been loaded may be slow at first. */
const warmingDuels = 8;
/** How the evidence of the tests is weighed; they sum to 1. Whether answers are right shows least, so it has most. */
const weights: Readonly<Record<RolloutTest, number>> = {
  truth: 0.7,
  agreement: 0.1,
  errors: 0.1,
  latency: 0.1,
};
const tests: readonly RolloutTest[] = ["truth", "agreement", "errors", "latency"];

export class Comparison {
  readonly counts: ComparisonCounts = newCounts();
  readonly #alpha: number;
  readonly #agreement: number;
  readonly #bets: Readonly<Record<RolloutTest, Bet>>;
  readonly #times = new LatencyPair();
  #warming = warmingDuels;

  constructor({ agreement, alpha }: ComparisonOptions) {
    this.#alpha = alpha;
    this.#agreement = agreement;
    this.#bets = {
      truth: new DifferenceBet(aim),
      errors: new DifferenceBet(aim),
      latency: new DifferenceBet(latencyAim),
      agreement: new ShareBet(1 - agreement, agreementAim),
    };
  }

  /** Both answered, or failed at, the same rows. */
  pair(incumbent: HeardAnswer, challenger: HeardAnswer): void {
    const { counts } = this;
    counts.pairs++;
    const worse = failedMore(incumbent, challenger);
    if (!isAnswer(incumbent) && worse !== 0) counts.incumbentFailed++;
    if (!isAnswer(challenger) && worse !== 0) counts.challengerFailed++;
    this.#bets.errors.observe(worse);
    const apart = disagreement(incumbent, challenger);
    if (apart === null) return;
    counts.compared++;
    counts.agreed += 1 - apart;
    // None at all need agree where nothing is asked of it.
    if (this.#agreement > 0) this.#bets.agreement.observe(apart);
  }

  /** Of a pair, once. */
  truth(incumbent: HeardAnswer, challenger: HeardAnswer, truth: KnownTruth): void {
    const { counts } = this;
    const [incumbentRight, challengerRight] = rightShares(incumbent, challenger, truth);
    counts.truths++;
    counts.incumbentRight += incumbentRight;
    counts.challengerRight += challengerRight;
    this.#bets.truth.observe(incumbentRight - challengerRight);
  }

  /** A caller was answered, so many milliseconds after the version was asked. */
  answered(by: "incumbent" | "challenger", ms: number): void {
    const late = by === "incumbent" ? this.#times.incumbent(ms) : this.#times.challenger(ms);
    if (late !== null) this.#late(late);
  }

  /** Both were asked the same alone, one after the other: whichever slows down both where they share a processor is found by this. */
  alone(incumbentMs: number, challengerMs: number): void {
    if (this.#warming-- > 0) return;
    this.#late(slowerAlone(incumbentMs, challengerMs));
  }

  #late(late: -1 | 0 | 1): void {
    this.counts.times++;
    if (late > 0) this.counts.challengerLate++;
    if (late < 0) this.counts.incumbentLate++;
    this.#bets.latency.observe(late);
  }

  /** Evidence that the challenger is worse: 1 is none, 1/α enough. What is tested by agreement counts only while no truth is known. */
  get evidence(): number {
    return tests.reduce((sum, test) => sum + this.#weighed(test), 0);
  }

  /** Null while nothing speaks enough against the challenger. */
  get verdict(): Verdict | null {
    if (this.evidence * this.#alpha < 1) return null;
    const [test] = tests.toSorted((a, b) => this.#weighed(b) - this.#weighed(a));
    return test === undefined ? null : { test, why: this.#why(test) };
  }

  #weighed(test: RolloutTest): number {
    if (test === "agreement" && this.counts.truths > 0) return 0;
    return weights[test] * Math.exp(this.#bets[test].logWealth);
  }

  #why(test: RolloutTest): string {
    const { counts } = this;
    const atAlpha = `(at α = ${this.#alpha})`;
    switch (test) {
      case "truth":
        return `of ${counts.truths} answers whose truth is known it had ${percent(counts.challengerRight, counts.truths)} right, the incumbent ${percent(counts.incumbentRight, counts.truths)} ${atAlpha}`;
      case "agreement":
        return `it agreed with the incumbent on ${percent(counts.agreed, counts.compared)} of ${counts.compared} answers, and ${percent(this.#agreement, 1)} is asked ${atAlpha}`;
      case "errors":
        return `of ${counts.pairs} requests that both were asked it failed at ${counts.challengerFailed} that the incumbent answered, and the incumbent at ${counts.incumbentFailed} that it answered ${atAlpha}`;
      case "latency":
        return `of ${counts.times} pairs of times it alone was late in ${counts.challengerLate}, the incumbent in ${counts.incumbentLate} ${atAlpha}`;
    }
  }
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(1)}%`;
}

function newCounts(): ComparisonCounts {
  return {
    ...{ pairs: 0, incumbentFailed: 0, challengerFailed: 0, compared: 0, agreed: 0, truths: 0 },
    ...{ incumbentRight: 0, challengerRight: 0, times: 0, challengerLate: 0, incumbentLate: 0 },
  };
}
