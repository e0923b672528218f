/** One seed of one sampler on one function: what it is told, and how far the best of it is from the optimum. */
import { randomStream } from "../../search/space/random-stream.ts";
import type { Params } from "../../protocol/value.ts";
import type { BenchFunction } from "./bench-function.ts";

/** Trials of a run, and after how many of them it is judged. */
export const runTrials = 100;
export const marks = [50, runTrials] as const;

export interface Regret {
  readonly seed: number;
  readonly batch: number;
  readonly regret50: number;
  readonly regret100: number;
}

/** Regret is that of the trial that looked best, without its noise: what a person would have taken home. */
export class Run {
  readonly #function: BenchFunction;
  readonly #seed: number;
  #trials = 0;
  #bestTold = Infinity;
  #regret = Infinity;
  readonly #at: number[] = [];

  constructor(benchFunction: BenchFunction, seed: number) {
    this.#function = benchFunction;
    this.#seed = seed;
  }

  /** What the sampler is told. */
  evaluate(params: Params): number {
    const value = this.#function.value(params);
    const told = value + this.#function.noise * this.#normal();
    if (told < this.#bestTold) {
      this.#bestTold = told;
      this.#regret = value - this.#function.optimum;
    }
    this.#at[++this.#trials] = this.#regret;
    return told;
  }

  /** Where a sampler had no more to propose, the last regret stands. */
  regret(batch: number): Regret {
    const after = (trials: number) => this.#at[Math.min(trials, this.#trials)] ?? Infinity;
    return { seed: this.#seed, batch, regret50: after(marks[0]), regret100: after(marks[1]) };
  }

  /** Box-Muller, by seed and trial, so that every sampler meets the same noise. */
  #normal(): number {
    if (this.#function.noise === 0) return 0;
    const stream = randomStream(this.#seed, `noise/${this.#function.name}`, this.#trials);
    return Math.sqrt(-2 * Math.log(1 - stream.next())) * Math.cos(2 * Math.PI * stream.next());
  }
}
