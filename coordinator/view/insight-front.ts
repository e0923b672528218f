/** The trials of a sweep with several objectives that no other trial beats in all of them. Compared at one resource only. */
import type { SweepSpec } from "../../protocol/sweep.ts";
import type { InsightView } from "../../protocol/insight-view.ts";
import { scoresOf } from "../state/objective.ts";
import type { Trial } from "../state/state.ts";
import { fronts } from "../../search/sampler/rank.ts";

/** Along the first objective, the best first. */
const frontTrialsMost = 50;

/** Trials without a finite value in every objective stand in no front. `trials` by number. */
export function frontOf(
  spec: SweepSpec,
  trials: readonly Trial[],
  resource: number,
): NonNullable<InsightView["front"]> {
  const objectives = [spec.objective, ...spec.alsoObjectives];
  const measured = trials.flatMap(({ rungs, trial }) => {
    const rung = rungs.find((each) => each.resource === resource);
    if (rung === undefined) return [];
    const values = [rung.value, ...(rung.also ?? [])];
    if (values.length < objectives.length || !values.every(Number.isFinite)) return [];
    // Smaller is better there.
    return [{ trial, values, losses: scoresOf(spec, rung).map((score) => -score) }];
  });
  const [first = []] = fronts(measured.map(({ losses }) => losses));
  const front = first
    .flatMap((index) => measured[index] ?? [])
    .toSorted((a, b) => (a.losses[0] ?? 0) - (b.losses[0] ?? 0));
  return {
    objectives,
    trials: front.slice(0, frontTrialsMost).map(({ trial, values }) => ({ trial, values })),
    count: front.length,
  };
}
