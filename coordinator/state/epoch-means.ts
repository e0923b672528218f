/** What epochs of one model cost in a sweep, summed up. The definition, not what anybody concludes from it. */
import type { EventOf } from "../format/event.ts";
import type { Sweep } from "./state.ts";

export type Epochs = NonNullable<EventOf<"AttemptEnded">["epochs"]>;
export type EpochCost = Sweep["epochs"][string];

/** After one attempt more. */
export function withEpochs(cost: EpochCost | undefined, { first, later }: Epochs): EpochCost | undefined {
  if (later === undefined) return cost;
  const start = Math.max(0, first - later);
  if (cost === undefined) return { attempts: 1, start, mean: later, least: later, most: later };
  const attempts = cost.attempts + 1;
  return {
    attempts,
    start: cost.start + (start - cost.start) / attempts,
    mean: cost.mean + (later - cost.mean) / attempts,
    least: Math.min(cost.least, later),
    most: Math.max(cost.most, later),
  };
}
