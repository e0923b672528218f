/** Which trial format 1 left its reader to find the best, and what stopping early saved. Frozen with that format. */
import type { StoredSweepSpec } from "../../format/stored-sweep.ts";
import type { Attempt, Sweep, Trial } from "../../state/state.ts";

export function isBest1(sweep: Sweep, trial: Trial): boolean {
  const { best, spec } = sweep;
  const { value } = trial;
  if (value === null) return false;
  if (best === null) return true;
  const resource = trial.rungs.at(-1)?.resource ?? 0;
  const reaches = reachesTarget(spec, value);
  if (reaches !== reachesTarget(spec, best.value)) return reaches;
  if (resource !== best.resource && spec.stopping.policy !== "patience") return resource > best.resource;
  return scoreOf(spec, value) > scoreOf(spec, best.value);
}

export function endedWell1({ best, spec, state }: Sweep): boolean {
  return state !== "stopping" || (best !== null && reachesTarget(spec, best.value));
}

function reachesTarget(spec: StoredSweepSpec, value: number): boolean {
  const { target } = spec.stopping;
  return target !== undefined && scoreOf(spec, value) >= scoreOf(spec, target);
}

function scoreOf({ objective }: StoredSweepSpec, value: number): number {
  return objective.goal === "maximize" ? value : -value;
}

/** What the epochs not trained would have cost at this trial's own price per epoch. */
export function savedByStopping1(sweep: Sweep, trial: Trial): number {
  const reached = trial.checkpoint?.resource ?? 0;
  return reached === 0 ? 0 : Math.round((trial.spent / reached) * (sweep.spec.stopping.max - reached));
}

/** Agents whose failures a success of this trial spoke against: once each, since it last got somewhere. */
export function contradicted1(trial: Trial, finisher: string): readonly string[] {
  const ended = trial.attempts.slice(0, -1);
  const since = ended.findLastIndex(({ ending }: Attempt) => ending === "finished") + 1;
  const failed = ended.slice(since).filter(({ agent, ending }) => ending === "failed" && agent !== finisher);
  return [...new Set(failed.map(({ agent }) => agent))];
}
