/** REUSE-1: a trial whose key has a result is answered at once, for no tokens, whatever is free. */
import type { Steps } from "../state/input.ts";
import { trialFinished, trialReused } from "./outcome-fact.ts";
import { recordBuilt } from "../registry/record-built.ts";
import { promote } from "./judge.ts";
import { mustGet, type State, type Sweep, type Trial } from "../state/state.ts";

/** False for a trial that has begun: its own work goes on. */
export function canAnswer(state: State, sweep: Sweep, trial: Trial): boolean {
  return sweep.spec.reuse && trial.attempts.length === 0 && state.records.has(trial.key);
}

export function* answerFromRecord(state: State, sweep: Sweep, trial: Trial): Steps {
  const from = mustGet(state.records, trial.key, "record of");
  const origin = mustGet(state.trials, from, "trial");
  yield trialReused(trial, origin);
  const outcome = origin.state === "completed" ? "completed" : "stopped";
  yield trialFinished(state, trial, outcome, `answered by ${from}`);
  yield* recordBuilt(state, trial);
  yield* promote(state, sweep);
}
