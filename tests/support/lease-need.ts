/** What leases that are out or could be given now need to have: worked out from the trials, not from the table of references. */
import { activeAttempt, mustGet, type State } from "../../coordinator/state/state.ts";

export interface Need {
  readonly digest: string;
  readonly of: string;
}

export function* leaseNeeds(state: State): Generator<Need, void, void> {
  for (const trial of state.trials.values()) {
    if (trial.state !== "queued" && trial.state !== "running" && trial.state !== "paused") continue;
    const { spec } = mustGet(state.sweeps, trial.sweep, "sweep");
    const of = trial.trial;
    const active = activeAttempt(trial);
    const from = active === null ? trial.checkpoint : active.from;
    if (from !== null) yield { digest: from.digest, of };
    if (trial.checkpoint !== null) yield { digest: trial.checkpoint.digest, of };
    if (trial.best !== undefined) yield { digest: trial.best.digest, of };
    if (spec.dataset !== null) yield { digest: spec.dataset.digest, of };
    if (spec.program !== null) yield { digest: spec.program.bundle, of };
  }
}
