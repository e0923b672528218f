/** Trials without a server: the test statistic alone on made-up luck, over how often versions are right and how much of their luck they share. */
import { mixUnsigned } from "../../numeric/mix.ts";
import { Comparison } from "../../serving/rollout/comparison.ts";
import type { HeardAnswer } from "../../serving/rollout/heard-answer.ts";
import type { TriedBy } from "./tried-model.ts";

export interface LuckOrder {
  readonly by: TriedBy;
  /** How often the incumbent succeeds, and how much less often the canary. */
  readonly base: number;
  readonly worse: number;
  /** Of the requests in which both have the same luck. */
  readonly together: number;
  readonly requests: number;
  readonly alpha: number;
}

const label = (best: number): HeardAnswer => ({ kind: "labels", best: [best] });
const failed: HeardAnswer = { kind: "failed" };

export class SimulatedTrials {
  #at: number;

  constructor(seed: number) {
    this.#at = Math.imul(seed, 0x85ebca6b);
  }

  /** After how many requests the canary was found worse; null where it was not. */
  run({ alpha, base, by, requests, together, worse }: LuckOrder): number | null {
    const comparison = new Comparison({ alpha, agreement: 0.98 });
    for (let count = 1; count <= requests; count++) {
      const luck = this.#draw();
      const own = this.#draw() < together ? luck : this.#draw();
      const [incumbent, canary] = [luck < base, own < base - worse];
      if (by === "errors") comparison.pair(incumbent ? label(0) : failed, canary ? label(0) : failed);
      else if (by === "agreement") comparison.pair(label(0), label(this.#draw() < worse ? 1 : 0));
      else {
        const [one, other] = [label(incumbent ? 0 : 1), label(canary ? 0 : 1)];
        comparison.pair(one, other);
        comparison.truth(one, other, [0]);
      }
      if (comparison.verdict !== null) return count;
    }
    return null;
  }

  /** Even, from [0, 1). */
  #draw(): number {
    this.#at = (this.#at + 0x6d2b79f5) | 0;
    return mixUnsigned(mixUnsigned(this.#at) ^ 0x9e3779b9) / 2 ** 32;
  }
}
