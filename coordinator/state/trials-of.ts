/** A sweep's trials in order of their numbers. */
import { trialId } from "../../protocol/id.ts";
import { mustGet, type State, type Sweep, type Trial } from "./state.ts";

export function* trialsOf(state: State, sweep: Sweep): Generator<Trial, void, void> {
  for (let number = 1; number <= sweep.proposed; number++) {
    yield mustGet(state.trials, trialId(sweep.sweep, number), "trial");
  }
}
