/** Which of two results is better, for one sweep's objective. */
import type { SweepSpec } from "../../protocol/sweep.ts";
import type { Sweep } from "./state.ts";

/** The objective as "larger is better". */
export function scoreOf(spec: SweepSpec, value: number): number {
  return spec.objective.goal === "maximize" ? value : -value;
}

export function fullLength(spec: SweepSpec): number {
  return spec.stopping.max;
}

/** Results are compared at equal resource first: one trained further outranks one stopped early. */
export function improves(sweep: Sweep, candidate: { value: number; resource: number }): boolean {
  const { best, spec } = sweep;
  if (best === null) return true;
  if (candidate.resource !== best.resource) return candidate.resource > best.resource;
  return scoreOf(spec, candidate.value) > scoreOf(spec, best.value);
}
