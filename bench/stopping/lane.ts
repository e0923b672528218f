/** What is compared: a stopping policy, with a sampler, under one of two meanings of "not now". */
import type * as z from "zod";
import type { stoppingSchema } from "../../protocol/stopping.ts";

export interface Lane {
  readonly name: string;
  readonly what: string;
  readonly stopping: z.input<typeof stoppingSchema>;
  /** The sampler that proposes. */
  readonly sampler: "random" | "tpe";
  /**
   * True: who is not promoted on arrival has ended, and while a rung has too few trials for a promotion its best goes
   * on. That is successive halving as Optuna, Ray Tune and Determined have it.
   */
  readonly pauseEnds: boolean;
}

export const fullEpochs = 81;
const halving = { min: 1, max: fullEpochs, eta: 3 } as const;

export const lanes: readonly Lane[] = [
  {
    name: "full",
    what: "random search, every trial at full length",
    stopping: { policy: "none", max: fullEpochs },
    sampler: "random",
    pauseEnds: false,
  },
  {
    name: "asha-stop",
    what: "successive halving that only stops",
    stopping: { policy: "asha", ...halving },
    sampler: "random",
    pauseEnds: true,
  },
  {
    name: "asha",
    what: "asha with promotion",
    stopping: { policy: "asha", ...halving },
    sampler: "random",
    pauseEnds: false,
  },
  {
    name: "asha-9",
    what: "asha with promotion, judged from epoch 9 on",
    stopping: { policy: "asha", ...halving, min: 9 },
    sampler: "random",
    pauseEnds: false,
  },
  {
    name: "hyperband",
    what: "hyperband with promotion",
    stopping: { policy: "hyperband", ...halving },
    sampler: "random",
    pauseEnds: false,
  },
  {
    name: "bohb",
    what: "hyperband with promotion, tpe proposes",
    stopping: { policy: "bohb", ...halving },
    sampler: "tpe",
    pauseEnds: false,
  },
  {
    name: "median",
    what: "median rule at every ninth epoch",
    stopping: { policy: "median", max: fullEpochs },
    sampler: "random",
    pauseEnds: false,
  },
];
