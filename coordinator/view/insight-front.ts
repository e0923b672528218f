/** The trials of a sweep with several objectives that no other trial beats in all of them. Compared at one resource only. */
import type { SweepSpec } from "../../protocol/sweep.ts";
import type { InsightView } from "../../protocol/view.ts";
import { scoresOf } from "../core/objective.ts";
import type { Trial } from "../core/state.ts";
import { dominates } from "../stopping/rank.ts";

/** Along the first objective, the best first. */
const frontTrialsMost = 50;

/** Trials without a finite value in every objective are beaten by nobody and stand in no front. */
export function frontOf(
  spec: SweepSpec,
  trials: readonly Trial[],
  resource: number,
): NonNullable<InsightView["front"]> {
  const objectives = [spec.objective, ...spec.alsoObjectives];
  const values = new Map<string, readonly number[]>();
  const entries = trials.flatMap(({ number, rungs, trial }) => {
    const rung = rungs.find((each) => each.resource === resource);
    if (rung === undefined) return [];
    const scores = scoresOf(spec, rung);
    if (scores.length < objectives.length || !scores.every(Number.isFinite)) return [];
    values.set(trial, [rung.value, ...(rung.also ?? [])]);
    return [{ trial, number, scores }];
  });
  const front = entries
    .filter(({ scores }) => !entries.some((other) => dominates(other.scores, scores)))
    .toSorted((a, b) => (b.scores[0] ?? 0) - (a.scores[0] ?? 0) || a.number - b.number);
  return {
    objectives,
    trials: front
      .slice(0, frontTrialsMost)
      .map(({ trial }) => ({ trial, values: [...(values.get(trial) ?? [])] })),
    count: front.length,
  };
}
