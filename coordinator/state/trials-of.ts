/** A sweep's trials in order of their numbers, from one of them on. */
import { trialId } from "../../protocol/id.ts";
import { mustGet, type State, type Sweep, type Trial } from "./state.ts";

export function* trialsOf(state: State, sweep: Sweep, from = 1): Generator<Trial, void, void> {
  for (let number = from; number <= sweep.proposed; number++) {
    yield mustGet(state.trials, trialId(sweep.sweep, number), "trial");
  }
}
