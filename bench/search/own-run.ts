/** One of our samplers on a function, asked for `batch` trials at a time, as a sweep with so many slots would. */
import { keyOf } from "../../search/space/active.ts";
import { samplerNamed } from "../../search/choose/choose-sampler.ts";
import type { SearchProblem, SearchSampler, Observation } from "../../search/sampler/ask.ts";
import type { Params } from "../../protocol/value.ts";
import type { BenchFunction } from "./bench-function.ts";
import { Run, runTrials, type Regret } from "./run.ts";

export type MethodName = Parameters<typeof samplerNamed>[0];

export function ownSampler(method: MethodName): SearchSampler {
  const sampler = samplerNamed(method);
  if (sampler === null) throw new Error(`no sampler here is called ${method}`);
  return sampler;
}

export function problemOf(benchFunction: BenchFunction, seed: number, trials: number): SearchProblem {
  return { space: benchFunction.space, where: [], seed, trials, objectives: 1 };
}

/** A sweep's worth of asking and telling; the mesh around it is left out. */
export class OwnSearch {
  readonly #sampler: SearchSampler;
  readonly #problem: SearchProblem;
  readonly #told: Observation[] = [];
  readonly #known = new Set<string>();
  #position = 0;

  constructor(sampler: SearchSampler, problem: SearchProblem) {
    this.#sampler = sampler;
    this.#problem = problem;
  }

  /** Up to `count` new trials, which are pending until `tell`. */
  ask(count: number): readonly Observation[] {
    const answer = this.#sampler.ask({
      problem: this.#problem,
      position: this.#position,
      count,
      history: () => this.#told,
      isKnown: (params) => this.#known.has(keyOf(params)),
    });
    this.#position = answer.position;
    return answer.suggestions.map(({ params }) => {
      const trial: Observation = {
        number: this.#told.length + 1,
        params,
        state: "pending",
        values: null,
        resource: 0,
        rungs: [],
      };
      this.#known.add(keyOf(params));
      this.#told.push(trial);
      return trial;
    });
  }

  /** Trials that were run before, as if this search had proposed them. */
  know(trials: readonly { readonly params: Params; readonly value: number }[]): void {
    for (const { params, value } of trials) {
      this.#known.add(keyOf(params));
      const number = this.#told.length + 1;
      this.#told.push({ number, params, state: "pending", values: null, resource: 0, rungs: [] });
      this.tell(number, value);
    }
    this.#position += trials.length;
  }

  tell(number: number, value: number): void {
    const trial = this.#told[number - 1];
    if (trial === undefined) throw new Error(`there is no trial ${number}`);
    this.#told[number - 1] = {
      ...trial,
      state: "completed",
      values: [value],
      resource: 1,
      rungs: [{ resource: 1, value }],
    };
  }
}

/** `batch` trials are asked for at once and told together. */
export function ownRun(
  sampler: SearchSampler,
  benchFunction: BenchFunction,
  seed: number,
  batch: number,
): Regret {
  const run = new Run(benchFunction, seed);
  const search = new OwnSearch(sampler, problemOf(benchFunction, seed, runTrials));
  for (let done = 0; done < runTrials;) {
    const asked = search.ask(Math.min(batch, runTrials - done));
    if (asked.length === 0) break;
    for (const trial of asked) search.tell(trial.number, run.evaluate(trial.params));
    done += asked.length;
  }
  return run.regret(batch);
}
