/** A sweep's trials as its sampler sees them: by number, each with what it has measured so far. */
import type { Told } from "../../search/sampler/ask.ts";
import { joinParams } from "../../search/sampler/joint-space.ts";
import { scoresOf } from "./objective.ts";
import type { State, Sweep, Trial } from "./state.ts";
import { trialsOf } from "./trials-of.ts";

export function historyOf(state: State, sweep: Sweep): Told[] {
  return Array.from(trialsOf(state, sweep), (trial) => toldOf(sweep, trial));
}

function toldOf(sweep: Sweep, trial: Trial): Told {
  const last = trial.rungs.at(-1);
  // Samplers minimise; a score is larger when better.
  const values = last === undefined ? null : scoresOf(sweep.spec, last).map((score) => -score);
  return {
    number: trial.number,
    params: joinParams(sweep.spec, trial),
    state: toldState(trial),
    values: values !== null && values.every(Number.isFinite) ? values : null,
    resource: last?.resource ?? 0,
    rungs: trial.rungs.map((rung) => ({
      resource: rung.resource,
      value: -(scoresOf(sweep.spec, rung)[0] ?? Number.NaN),
    })),
  };
}

function toldState({ state }: Trial): Told["state"] {
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
