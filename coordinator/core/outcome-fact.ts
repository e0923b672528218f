/**
 * Events about how trials and sweeps end, with what the policies of the moment make of it: which trial is the best, what was
 * saved. FORMAT-1: `apply` takes all that over and works nothing out.
 */
import { epochCost } from "../budget/epoch-cost.ts";
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
  const saved = outcome === "stopped" ? costOfTheRest(sweep, trial, fullLength(sweep.spec)) : 0;
  const withSaved = saved === 0 ? event : { ...event, saved };
  return isBest(state, sweep, trial) ? { ...withSaved, best: true } : withSaved;
}

/** STOP-1: as somebody asked. What the rest would have cost is not saved by any policy. */
export function trialStopped(
  state: State,
  trial: Trial,
  { by, why }: NonNullable<Trial["stopAsked"]>,
  measured: Trial["metrics"] = {},
): EventOf<"TrialFinished"> {
  const said = why === "" ? `stopped by ${by}` : `stopped by ${by}: ${why}`;
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  // Beside a checkpoint stand its own figures.
  const isNews = trial.checkpoint === null && Object.keys(measured).length > 0;
  return {
    ...({ kind: "TrialFinished", trial: trial.trial, outcome: "stopped", why: said, by } as const),
    ...(isNews ? { metrics: measured } : null),
    ...(isBest(state, sweep, trial) ? { best: true as const } : null),
  };
}

/** SAVED-1: what the epochs not trained would have cost. */
function costOfTheRest({ epochs }: Sweep, { attempts, checkpoint, model }: Trial, full: number): number {
  const of = epochCost(
    attempts.map((attempt) => attempt.epochs),
    epochs[model],
  );
  const reached = checkpoint?.resource ?? 0;
  return of === null || reached === 0 ? 0 : Math.round(of * Math.max(0, full - reached));
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
