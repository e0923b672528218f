/** Independent draws from the sweep's seed, one stream per position. */
import { paramsFrom } from "../space/active.ts";
import type { SearchProblem, SearchSampler } from "./ask.ts";
import { fromUnit } from "../space/axis.ts";
import { sizeOf } from "./leftover.ts";
import { randomStream, type RandomStream } from "../space/random-stream.ts";
import { askSequence } from "./sequence.ts";

const purpose = "search/random";

export const randomSampler: SearchSampler = {
  name: "random",
  learns: false,
  size: sizeOf,
  unsuited: () => null,
  ask: (ask) =>
    askSequence(ask, purpose, (position) =>
      drawParams(ask.problem, randomStream(ask.problem.seed, purpose, position)),
    ),
};

/** One trial drawn from the space's own distributions; constraints are not looked at. */
export function drawParams({ space }: SearchProblem, random: RandomStream) {
  return paramsFrom(space, (_, distribution) => fromUnit(distribution, random.next()));
}
