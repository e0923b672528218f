/** Keys of work: two trials with equal keys would train the same thing. Exact texts, no hashing. */
import type { Params } from "../../protocol/value.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";

/** Everything but model and parameters that a trial's outcome depends on, as canonical text. */
export function fingerprintText(spec: SweepSpec): string {
  return JSON.stringify([
    spec.task,
    spec.dataset?.digest ?? null,
    spec.objective.metric,
    spec.objective.goal,
    ...(spec.alsoObjectives.length === 0 ? [] : [spec.alsoObjectives]),
    canonical(spec.stopping),
    spec.trialSeed,
    spec.codeVersion,
    ...(spec.parts.length === 0 ? [] : [spec.parts]),
  ]);
}

/** As `fingerprintText`, but for how long trials train: a shorter run of the same is the beginning of a longer one. */
export function warmStartText(spec: SweepSpec): string {
  const { codeVersion, dataset, objective, parts, task, trialSeed } = spec;
  return JSON.stringify([
    "kin",
    task,
    dataset?.digest ?? null,
    objective,
    spec.alsoObjectives,
    trialSeed,
    codeVersion,
    ...(parts.length === 0 ? [] : [parts]),
  ]);
}

export function trialKey(fingerprint: number, model: string, params: Params): string {
  return `${fingerprint}/${model}/${canonical(params)}`;
}

function canonical(value: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
