/**
 * The learning rate over epochs. It falls over `decayEpochs`, not over the trial's target, so that a trial
 * promoted to more epochs goes on exactly where it would have been. It is a plain function: no state to keep.
 */
import type { Params } from "../../protocol/value.ts";
import { numberParam } from "./parameter.ts";
import type { ParameterSpec } from "./task.ts";

/** The rate never falls below this share of `lr`, and warms up from it. */
const rateFloor = 0.05;

export const scheduleParameters = {
  schedule: {
    type: "choice",
    choices: ["constant", "linear", "cosine"],
    default: "constant",
    about: "how the learning rate falls",
  },
  decayEpochs: {
    type: "int",
    min: 1,
    max: 1000,
    default: 10,
    about: "epochs in which the rate falls to a twentieth",
  },
  warmupEpochs: {
    type: "float",
    min: 0,
    max: 100,
    default: 0,
    about: "epochs in which the rate first rises from a twentieth; then it falls",
  },
} as const satisfies Record<string, ParameterSpec>;

export interface Schedule {
  readonly kind: "constant" | "linear" | "cosine";
  readonly decayEpochs: number;
  readonly warmupEpochs: number;
}

export function scheduleOf(params: Params): Schedule {
  const kind = params["schedule"];
  return {
    kind: kind === "linear" || kind === "cosine" ? kind : "constant",
    decayEpochs: numberParam(params, "decayEpochs"),
    warmupEpochs: numberParam(params, "warmupEpochs"),
  };
}

/** What to multiply `lr` by, from `rateFloor` to 1; `progress` is in epochs, with fractions. */
export function rateShare({ kind, decayEpochs, warmupEpochs }: Schedule, progress: number): number {
  if (progress < warmupEpochs) return rateFloor + (1 - rateFloor) * (progress / warmupEpochs);
  const fallen = Math.min(1, (progress - warmupEpochs) / decayEpochs);
  switch (kind) {
    case "constant":
      return 1;
    case "linear":
      return Math.max(rateFloor, 1 - fallen);
    case "cosine":
      return rateFloor + ((1 - rateFloor) * (1 + Math.cos(Math.PI * fallen))) / 2;
  }
}
