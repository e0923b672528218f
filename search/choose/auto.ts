/**
 * The sampler of a sweep that names none: Gaussian processes while they are affordable, which is nearly always; what
 * scales with the number of trials after that. It only chooses; the samplers it hands on to share the history, so that
 * a change loses nothing.
 */
import type { Answer, SearchProblem, SearchSampler } from "../sampler/ask.ts";
import { levels } from "../space/axis.ts";
import { cmaSampler } from "../cma-es/cma-es.ts";
import { gpSampler } from "../gp/gp.ts";
import { sizeOf } from "../sampler/leftover.ts";
import { nsgaSampler } from "../sampler/nsga-ii.ts";
import { tpeSampler } from "../tpe/tpe.ts";

/** Trials after which a Gaussian process, which learns from a few hundred of them, no longer uses what is known. */
const gpTrialsMax = 1000;
/** With several objectives, every proposal of which needs a fit of its own, it is given up sooner. */
const gpTrialsOfSeveralMax = 300;

export const autoSampler: SearchSampler = {
  name: "auto",
  learns: true,
  size: sizeOf,
  unsuited: () => null,
  ask(ask): Answer {
    const { because, sampler } = choose(ask.problem, ask.history().length);
    const answer = sampler.ask(ask);
    const how = answer.note === null ? "" : `; this trial: ${answer.note}`;
    return { ...answer, note: `${sampler.name}, because ${because}${how}` };
  },
};

interface Choice {
  readonly sampler: SearchSampler;
  /** The rest of a sentence that begins with "because". */
  readonly because: string;
}

/** The sampler for a sweep with so many trials so far. */
export function choose(problem: SearchProblem, trials: number): Choice {
  if (problem.objectives > 1) {
    return trials < gpTrialsOfSeveralMax
      ? { sampler: gpSampler, because: `it needs the fewest trials, up to ${gpTrialsOfSeveralMax} of them` }
      : { sampler: nsgaSampler, because: `${trials} trials are enough for a population along the front` };
  }
  if (trials < gpTrialsMax) {
    return { sampler: gpSampler, because: `it needs the fewest trials, up to ${gpTrialsMax} of them` };
  }
  return movesNumbersOnly(problem)
    ? {
        sampler: cmaSampler,
        because: `after ${trials} trials of numbers alone an evolution strategy gets further`,
      }
    : {
        sampler: tpeSampler,
        because: `after ${trials} trials with categories or conditions densities are what still scales`,
      };
}

function movesNumbersOnly(problem: SearchProblem): boolean {
  if (cmaSampler.unsuited(problem) !== null) return false;
  return Object.values(problem.space).every(
    (distribution) => distribution.distribution !== "choice" || levels(distribution) === 1,
  );
}
