/** The trial that did the work behind a result: itself, or the one it was answered from. */
import { mustGet, type State, type Trial } from "../state/state.ts";

export function originOf(state: State, trial: Trial): Trial {
  let origin = trial;
  while (origin.reusedFrom !== null) origin = mustGet(state.trials, origin.reusedFrom, "trial");
  return origin;
}
