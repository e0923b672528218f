/** Keys of work: two trials with equal keys would train the same thing. Exact texts, no hashing. */
import type { Params } from "../../protocol/value.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";

/** Everything but model and parameters that a trial's outcome depends on, as canonical text. */
export function recipeText(spec: SweepSpec): string {
  return JSON.stringify([
    spec.task,
    spec.dataset?.digest ?? null,
    spec.objective.metric,
    spec.objective.goal,
    canonical(spec.stopping),
    spec.trialSeed,
    spec.codeVersion,
  ]);
}

export function trialKey(recipe: number, model: string, params: Params): string {
  return `${recipe}/${model}/${canonical(params)}`;
}

function canonical(value: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
