/** REUSE-1: a trial whose key has a result is answered at once, for no tokens, whatever is free. */
import { learnsFromWeights } from "../collect/weight-search.ts";
import { isKeptHeld } from "../state/bytes-held.ts";
import { improves } from "../state/objective.ts";
import type { Steps } from "../state/input.ts";
import { trialFinished, trialReused } from "./outcome-fact.ts";
import { recordBuilt } from "../registry/record-built.ts";
import { promote } from "./judge.ts";
import { mustGet, type State, type Sweep, type Trial } from "../state/state.ts";

/** False for a trial that has begun: its own work goes on. */
export function canAnswer(state: State, sweep: Sweep, trial: Trial): boolean {
  return trial.attempts.length === 0 && recordFor(state, sweep, trial.key, trial.number) !== null;
}

/** The trial that answers for a key in this sweep, as its trial of that number; null where the work is to be done. */
export function recordFor(state: State, sweep: Sweep, key: string, number: number): Trial | null {
  const id = sweep.spec.reuse ? state.records.get(key) : undefined;
  if (id === undefined) return null;
  const origin = mustGet(state.trials, id, "trial");
  return isKeptHeld(state, origin) || !needsBytes(state, sweep, origin, number) ? origin : null;
}

/**
 * GC-3: a result whose bytes were collected is still a result. It is no answer where its bytes would be wanted next: for a version of a model
 * or a dataset, or to start other trials from.
 */
function needsBytes(state: State, sweep: Sweep, { value }: Trial, number: number): boolean {
  if (sweep.spec.records !== undefined || learnsFromWeights(sweep.spec)) return true;
  return sweep.spec.register !== null && value !== null && improves(state, sweep, { number }, value);
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
