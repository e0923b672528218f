/** Which of two results is better, for one sweep's objectives. */
import type { Objective, SweepSpec } from "../../protocol/sweep.ts";
import type { Sweep } from "./state.ts";

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
 * What reaches the target outranks what does not. Apart from that results are compared at equal resource first:
 * one trained further outranks one stopped early, but for a trial that ended because it got no better.
 */
export function improves(sweep: Sweep, candidate: { value: number; resource: number }): boolean {
  const { best, spec } = sweep;
  if (best === null) return true;
  const reaches = reachesTarget(spec, candidate.value);
  if (reaches !== reachesTarget(spec, best.value)) return reaches;
  if (candidate.resource !== best.resource && spec.stopping.policy !== "patience") {
    return candidate.resource > best.resource;
  }
  return scoreOf(spec, candidate.value) > scoreOf(spec, best.value);
}
