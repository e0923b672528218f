/** A trial nobody has proposed yet, found by going through a space that can be listed: for when draws only repeat themselves. */
import type { Params } from "../../protocol/value.ts";
import { admit, allowed } from "./admit.ts";
import type { SearchProblem } from "./ask.ts";
import type { RandomStream } from "../space/random-stream.ts";
import { walkOf } from "../space/walk.ts";

/** So many combinations are looked at before the space counts as used up. */
const lookedAtMax = 20_000;

/** Null where the space cannot be listed, or none of the combinations looked at is left. */
export function leftover(
  problem: SearchProblem,
  random: RandomStream,
  isKnown: (params: Params) => boolean,
): Params | null {
  const walk = walkOf(problem.space);
  if (walk === null) return null;
  const start = Math.floor(random.next() * walk.count);
  for (let step = 0; step < Math.min(walk.count, lookedAtMax); step++) {
    const params = walk.at((start + step) % walk.count);
    if (params !== null && admit(problem, params, isKnown)) return params;
  }
  return null;
}

/**
 * How many distinct trials a space holds: exact where they are few enough to be looked at, an upper bound where
 * constraints thin out more than that, Infinity where they cannot be counted.
 */
export function sizeOf(problem: SearchProblem): number {
  const walk = walkOf(problem.space);
  if (walk === null) return Infinity;
  if (problem.where.length === 0 || walk.count > lookedAtMax) return walk.count;
  let size = 0;
  for (let index = 0; index < walk.count; index++) {
    const params = walk.at(index);
    if (params !== null && allowed(problem, params)) size++;
  }
  return size;
}
