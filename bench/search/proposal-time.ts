/** How long a sampler takes for one more trial when 250 have been told, in 10 dimensions. */
import type { SearchSampler } from "../../search/sampler/ask.ts";
import { median } from "../shared/median.ts";
import type { BenchFunction } from "./bench-function.ts";
import { smoothTen } from "./function.ts";
import { noisyBoosting } from "./noisy-boosting.ts";
import { ownSampler, OwnSearch, problemOf } from "./own-run.ts";
import { Run } from "./run.ts";

const toldTrials = 250;
const timed = 15;
const warmUp = 5;
const seed = 1;

export interface ProposalTime {
  /** Median by the clock. */
  readonly ms: number;
  /** Median of this thread's processor time, which on a machine with other work says more. */
  readonly processorMs: number;
}

/** Per proposal, of the slower of two spaces: one continuous, one with log scales and whole numbers. */
export function proposalTime(sampler: SearchSampler): ProposalTime {
  const times = [smoothTen, noisyBoosting].map((benchFunction) => timeOn(sampler, benchFunction));
  return {
    ms: Math.max(...times.map(({ ms }) => ms)),
    processorMs: Math.max(...times.map(({ processorMs }) => processorMs)),
  };
}

function timeOn(sampler: SearchSampler, benchFunction: BenchFunction): ProposalTime {
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
  const times: ProposalTime[] = [];
  for (let round = 0; round < warmUp + timed; round++) {
    const before = performance.now();
    const beforeCpu = process.threadCpuUsage();
    const asked = search.ask(1);
    const { system, user } = process.threadCpuUsage(beforeCpu);
    if (round >= warmUp) times.push({ ms: performance.now() - before, processorMs: (user + system) / 1000 });
    for (const trial of asked) search.tell(trial.number, run.evaluate(trial.params));
  }
  return {
    ms: median(times.map(({ ms }) => ms)),
    processorMs: median(times.map(({ processorMs }) => processorMs)),
  };
}
