/** At the end of a sweep that asks for it: its best trial becomes a version, and the alias moves there. */
import type { Steps } from "../state/input.ts";
import { originOf } from "./origin.ts";
import { mustGet, type State, type Sweep } from "../state/state.ts";

export function* registerBest(state: State, sweep: Sweep): Steps {
  const { register } = sweep.spec;
  if (register === null || sweep.best === null) return;
  const trial = mustGet(state.trials, sweep.best.trial, "trial");
  if (trial.checkpoint === null) return;
  const { digest } = trial.checkpoint;
  const versions = state.models.get(register.model)?.versions ?? [];
  // The same bytes are the same version: a sweep answered from the record makes no new one.
  const same = versions.find(({ artifact }) => artifact === digest);
  const version = same?.version ?? versions.length + 1;
  if (same === undefined) {
    const origin = originOf(state, trial).trial;
    yield {
      kind: "ModelRegistered",
      model: register.model,
      version,
      trial: trial.trial,
      origin,
      sweep: sweep.sweep,
    };
  }
  if (register.alias === null) return;
  const from = state.models.get(register.model)?.aliases[register.alias] ?? null;
  if (from === version) return;
  yield {
    kind: "AliasMoved",
    model: register.model,
    alias: register.alias,
    from,
    to: version,
    who: sweep.requester,
    why: `best of ${sweep.sweep} (${trial.trial}, ${sweep.spec.objective.metric} ${sweep.best.value.toFixed(4)})`,
    how: "register",
  };
}
