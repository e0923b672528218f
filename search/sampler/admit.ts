/** Whether parameters may be proposed: the constraints hold, and nobody has proposed them before. */
import { satisfies } from "../../protocol/constraint.ts";
import type { Params } from "../../protocol/value.ts";
import type { SearchProblem } from "./ask.ts";

export function admit(problem: SearchProblem, params: Params, isKnown: (params: Params) => boolean): boolean {
  return allowed(problem, params) && !isKnown(params);
}

export function allowed({ where }: SearchProblem, params: Params): boolean {
  return where.every((constraint) => satisfies(constraint, params));
}
