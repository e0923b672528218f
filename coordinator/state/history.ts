/** A sweep's trials as its sampler sees them: by number, each with what it has measured so far. */
import type { Observation } from "../../search/sampler/ask.ts";
import { joinParams } from "../../search/sampler/joint-space.ts";
import { scoresOf } from "./objective.ts";
import type { State, Sweep, Trial } from "./state.ts";
import { trialsOf } from "./trials-of.ts";

export function historyOf(state: State, sweep: Sweep): Observation[] {
  return Array.from(trialsOf(state, sweep), (trial) => observationOf(sweep, trial));
}

function observationOf(sweep: Sweep, trial: Trial): Observation {
  const last = trial.rungs.at(-1);
  // Samplers minimise; a score is larger when better.
  const counted = last === undefined ? null : { ...last, value: trial.value ?? last.value };
  const values = counted === null ? null : scoresOf(sweep.spec, counted).map((score) => -score);
  return {
    number: trial.number,
    params: joinParams(sweep.spec, trial),
    state: observedState(trial),
    values: values !== null && values.every(Number.isFinite) ? values : null,
    resource: last?.resource ?? 0,
    rungs: trial.rungs.map((rung) => ({
      resource: rung.resource,
      value: -(scoresOf(sweep.spec, rung)[0] ?? Number.NaN),
    })),
  };
}

function observedState({ state }: Trial): Observation["state"] {
  switch (state) {
    case "queued":
    case "running":
      return "pending";
    case "paused":
    case "stopped":
      return "stopped";
    case "completed":
      return "completed";
    case "failed":
    case "cancelled":
      return "failed";
  }
}
