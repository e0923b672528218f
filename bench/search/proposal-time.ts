/** How long a sampler takes for one more trial when 250 have been told, in 10 dimensions. */
import type { SearchSampler } from "../../coordinator/search/ask.ts";
import { median } from "../shared/quantile.ts";
import type { BenchFunction } from "./bench-function.ts";
import { smoothTen } from "./function.ts";
import { noisyBoosting } from "./noisy-boosting.ts";
import { ownSampler, OwnSearch, problemOf } from "./own-run.ts";
import { Run } from "./run.ts";

const toldTrials = 250;
const timed = 15;
const warmUp = 5;
const seed = 1;

/** Median ms per proposal, of the slower of two spaces: one continuous, one with log scales and whole numbers. */
export function proposalMs(sampler: SearchSampler): number {
  return Math.max(...[smoothTen, noisyBoosting].map((space) => medianMs(sampler, space)));
}

function medianMs(sampler: SearchSampler, benchFunction: BenchFunction): number {
  const problem = problemOf(benchFunction, seed, 2 * toldTrials);
  const run = new Run(benchFunction, seed);
  const random = ownSampler("random");
  const drawn = random.ask({
    problem,
    position: 0,
    count: toldTrials,
    history: () => [],
    isKnown: () => false,
  });
  const search = new OwnSearch(sampler, problem);
  search.know(drawn.suggestions.map(({ params }) => ({ params, value: run.evaluate(params) })));
  const times: number[] = [];
  for (let round = 0; round < warmUp + timed; round++) {
    const before = performance.now();
    const asked = search.ask(1);
    const took = performance.now() - before;
    if (round >= warmUp) times.push(took);
    for (const trial of asked) search.tell(trial.number, run.evaluate(trial.params));
  }
  return median(times);
}
