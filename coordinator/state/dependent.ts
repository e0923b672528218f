/** What stands on a sweep, in words: versions of models and datasets made of it, and sweeps that took over work of it. */
import { plural } from "../../protocol/plural.ts";
import { mustGet, type State, type Sweep } from "./state.ts";
import { sweepOfTrial } from "../../protocol/id.ts";

export function dependentsOf(state: State, sweep: Sweep): string[] {
  return [...modelsOf(state, sweep), ...datasetsOf(state, sweep), ...sweepsOf(state, sweep)];
}

/** Also those whose trial was answered from one of this sweep. */
function modelsOf(state: State, { sweep: id }: Sweep): string[] {
  return [...state.models.values()].flatMap(({ aliases, model, versions }) =>
    versions
      .filter((each) => each.removed === undefined)
      .filter(({ sweep, trial }) => sweep === id || isAnsweredFrom(state, trial, id))
      .map(({ version }) => {
        const names = Object.entries(aliases).flatMap(([alias, at]) => (at === version ? [alias] : []));
        return `model ${model}@${version}${names.length === 0 ? "" : ` (${names.join(", ")})`}`;
      }),
  );
}

function isAnsweredFrom(state: State, trial: string, sweep: string): boolean {
  const { reusedFrom } = mustGet(state.trials, trial, "trial");
  return reusedFrom !== null && sweepOfTrial(reusedFrom) === sweep;
}

function datasetsOf(state: State, { sweep: id }: Sweep): string[] {
  return [...state.datasets.values()].flatMap(({ dataset, versions }) =>
    versions
      .filter(({ removed, trial }) => removed === undefined && trial !== null && sweepOfTrial(trial) === id)
      .map(({ version }) => `dataset ${dataset}@${version}`),
  );
}

/** A sweep that is out of sight itself is nobody's loss. */
function sweepsOf(state: State, { sweep: id }: Sweep): string[] {
  const answered = new Map<string, number>();
  const begun = new Map<string, number>();
  const count = (into: Map<string, number>, sweep: string) => into.set(sweep, (into.get(sweep) ?? 0) + 1);
  for (const { resumes, reusedFrom, sweep } of state.trials.values()) {
    if (sweep === id || mustGet(state.sweeps, sweep, "sweep").removed !== undefined) continue;
    if (reusedFrom !== null && sweepOfTrial(reusedFrom) === id) count(answered, sweep);
    else if (resumes !== null && sweepOfTrial(resumes) === id) count(begun, sweep);
  }
  return [
    ...[...answered].map(([sweep, trials]) => `${plural(trials, "trial")} of ${sweep} answered from it`),
    ...[...begun].map(
      ([sweep, trials]) => `${plural(trials, "trial")} of ${sweep} begun from its checkpoints`,
    ),
  ];
}
