/** Which of two results is better, for one sweep's objectives. */
import type { Objective, SweepSpec } from "../../protocol/sweep.ts";
import { mustGet, type State, type Sweep, type Trial } from "./state.ts";

/** The objective as "larger is better"; the same again turns a score back into a value. */
export function scoreOf(spec: SweepSpec, value: number): number {
  return oriented(spec.objective, value);
}

function oriented(objective: Objective, value: number): number {
  return objective.goal === "maximize" ? value : -value;
}

/** What was measured at a rung: the objective, and the further ones in the order of `alsoObjectives`. */
interface Measured {
  readonly value: number;
  readonly also?: readonly number[];
}

/** One score per objective; a sweep whose rungs hold no further values is judged by the first alone. */
export function scoresOf(spec: SweepSpec, { value, also = [] }: Measured): readonly number[] {
  const first = scoreOf(spec, value);
  if (also.length === 0) return [first];
  return [
    first,
    ...spec.alsoObjectives.map((objective, index) => oriented(objective, also[index] ?? Number.NaN)),
  ];
}

export function fullLength(spec: SweepSpec): number {
  return spec.stopping.max;
}

/** True where a value of the first objective is as good as the sweep asks for. */
export function reachesTarget(spec: SweepSpec, value: number): boolean {
  const { target } = spec.stopping;
  return target !== undefined && scoreOf(spec, value) >= scoreOf(spec, target);
}

/** True once a finished trial has what the sweep asks for: it ends then, and has ended well. */
export function targetReached({ best, spec }: Sweep): boolean {
  return best !== null && reachesTarget(spec, best.value);
}

/**
 * BEST-1: the better value is the better result, however long either was trained: each has a checkpoint that is this good. Of equal
 * ones the trial that was proposed first, whichever came there first: a repeat that the record answers has the same winner.
 */
export function improves(
  state: State,
  sweep: Sweep,
  { number }: Pick<Trial, "number">,
  value: number,
): boolean {
  const { best, spec } = sweep;
  if (best === null) return true;
  const [known, reached] = [scoreOf(spec, best.value), scoreOf(spec, value)];
  return reached > known || (reached === known && number < mustGet(state.trials, best.trial, "trial").number);
}

/**
 * With one objective a trial counts by its best epoch, whose checkpoint is kept; with several, an epoch is better in one way and
 * worse in another, and the newest counts.
 */
export function countsByBest({ alsoObjectives }: Pick<SweepSpec, "alsoObjectives">): boolean {
  return alsoObjectives.length === 0;
}

/** Its agents keep the best epoch's checkpoint as they train. A program keeps its files itself: it is judged at its rungs. */
export function keepsBestEpoch(spec: Pick<SweepSpec, "alsoObjectives" | "program">): boolean {
  return countsByBest(spec) && spec.program === null;
}
