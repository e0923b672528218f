/** What made two trials the same work in format 1, as canonical texts. Frozen with that format: today's are in `state/trial-key.ts`. */
import type { StoredSweepSpec } from "../../format/stored-sweep.ts";

export function fingerprintText1(spec: StoredSweepSpec): string {
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

export function warmStartText1(spec: StoredSweepSpec): string {
  return JSON.stringify([
    "kin",
    spec.task,
    spec.dataset?.digest ?? null,
    spec.objective,
    spec.alsoObjectives,
    spec.trialSeed,
    spec.codeVersion,
    ...(spec.parts.length === 0 ? [] : [spec.parts]),
  ]);
}

function canonical(value: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
