/** The trials of a sweep with several objectives that no other trial beats in all of them. Compared at one resource only. */
import type { SweepSpec } from "../../protocol/sweep.ts";
import type { InsightView } from "../../protocol/view.ts";
import { scoresOf } from "../core/objective.ts";
import type { Trial } from "../core/state.ts";
import { dominates } from "../stopping/rank.ts";
import type { Scores } from "../stopping/stopping-policy.ts";

/** Along the first objective, the best first. */
const frontTrialsMost = 50;

interface Entry {
  readonly trial: string;
  readonly number: number;
  /** Larger is better. */
  readonly scores: Scores;
}

/** Trials without a finite value in every objective are beaten by nobody and stand in no front. */
export function frontOf(
  spec: SweepSpec,
  trials: readonly Trial[],
  resource: number,
): NonNullable<InsightView["front"]> {
  const objectives = [spec.objective, ...spec.alsoObjectives];
  const values = new Map<string, readonly number[]>();
  const entries = trials.flatMap(({ number, rungs, trial }): Entry[] => {
    const rung = rungs.find((each) => each.resource === resource);
    if (rung === undefined) return [];
    const scores = scoresOf(spec, rung);
    if (scores.length < objectives.length || !scores.every(Number.isFinite)) return [];
    values.set(trial, [rung.value, ...(rung.also ?? [])]);
    return [{ trial, number, scores }];
  });
  // Best first by the first objective, then the others: whoever beats a trial stands before it.
  const front: Entry[] = [];
  for (const entry of entries.toSorted(byScores)) {
    if (!front.some((other) => dominates(other.scores, entry.scores))) front.push(entry);
  }
  return {
    objectives,
    trials: front
      .slice(0, frontTrialsMost)
      .map(({ trial }) => ({ trial, values: [...(values.get(trial) ?? [])] })),
    count: front.length,
  };
}

function byScores(a: Entry, b: Entry): number {
  for (const [index, score] of a.scores.entries()) {
    const difference = (b.scores[index] ?? 0) - score;
    if (difference !== 0) return difference;
  }
  return a.number - b.number;
}
