/**
 * Events about how trials and sweeps end, with what the policies of the moment make of it: which trial is the best, what was
 * saved. FORMAT-1: `apply` takes all that over and works nothing out.
 */
import type { EventOf } from "../format/event.ts";
import { fullLength, improves, targetReached } from "../state/objective.ts";
import { mustGet, type State, type Sweep, type Trial } from "../state/state.ts";

export function trialFinished(
  state: State,
  trial: Trial,
  outcome: EventOf<"TrialFinished">["outcome"],
  why: string,
): EventOf<"TrialFinished"> {
  const event = { kind: "TrialFinished", trial: trial.trial, outcome, why } as const;
  if (outcome === "failed" || outcome === "cancelled") return event;
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  const saved = outcome === "stopped" ? costOfTheRest(trial, fullLength(sweep.spec)) : 0;
  const withSaved = saved === 0 ? event : { ...event, saved };
  return isBest(state, sweep, trial) ? { ...withSaved, best: true } : withSaved;
}

/** What the epochs not trained would have cost at this trial's own price per epoch. */
function costOfTheRest(trial: Trial, full: number): number {
  const reached = trial.checkpoint?.resource ?? 0;
  return reached === 0 ? 0 : Math.round((trial.spent / reached) * (full - reached));
}

function isBest(state: State, sweep: Sweep, trial: Trial): boolean {
  return trial.value !== null && improves(state, sweep, trial, trial.value);
}

/** What the origin cost is what reuse has saved. */
export function trialReused(trial: Trial, origin: Trial): EventOf<"TrialReused"> {
  return { kind: "TrialReused", trial: trial.trial, from: origin.trial, saved: origin.spent };
}

/** One that was stopped because it had what it was after has ended well. */
export function sweepFinished(sweep: Sweep): EventOf<"SweepFinished"> {
  const state = sweep.state === "stopping" && !targetReached(sweep) ? "stopped" : "done";
  return { kind: "SweepFinished", sweep: sweep.sweep, state };
}
