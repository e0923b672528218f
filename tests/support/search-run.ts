/** Runs a sampler on a function of its parameters, as a sweep would, and checks that trials are ones the space allows. */
import assert from "node:assert/strict";
import { keyOf } from "../../search/space/active.ts";
import type { SearchProblem, SearchSampler, Suggestion, Observation } from "../../search/sampler/ask.ts";
import { fulfils } from "../../protocol/condition.ts";
import { satisfies } from "../../protocol/constraint.ts";
import type { Distribution } from "../../protocol/space.ts";
import type { Params, Value } from "../../protocol/value.ts";

/** What becomes of a trial; values null for one that fails. */
export type Trial = (params: Params, number: number) => Partial<Omit<Observation, "number" | "params">>;

export function valuesOf(objective: (params: Params) => readonly number[]): Trial {
  return (params) => ({ state: "completed", values: objective(params), resource: 1 });
}

export interface Run {
  readonly history: readonly Observation[];
  readonly suggestions: readonly Suggestion[];
  readonly position: number;
}

/** Asks for `batch` trials at a time until the problem's number of trials has been run or no more come. */
export function runSearch(sampler: SearchSampler, problem: SearchProblem, trial: Trial, batch = 1): Run {
  const history: Observation[] = [];
  const suggestions: Suggestion[] = [];
  const known = new Set<string>();
  let position = 0;
  while (history.length < problem.trials) {
    const answer = sampler.ask({
      problem,
      position,
      count: Math.min(batch, problem.trials - history.length),
      history: () => history,
      isKnown: (params) => known.has(keyOf(params)),
    });
    position = answer.position;
    if (answer.suggestions.length === 0) break;
    for (const suggestion of answer.suggestions) {
      const number = history.length + 1;
      known.add(keyOf(suggestion.params));
      suggestions.push(suggestion);
      history.push(told(number, suggestion.params, trial(suggestion.params, number)));
    }
  }
  return { history, suggestions, position };
}

export function told(number: number, params: Params, rest: ReturnType<Trial> = {}): Observation {
  return { number, params, state: "pending", values: null, resource: 0, rungs: [], ...rest };
}

/** The lowest first objective after each trial. */
export function bestSoFar(history: readonly Observation[]): readonly number[] {
  let best = Infinity;
  return history.map(({ values }) => (best = Math.min(best, values?.[0] ?? Infinity)));
}

/** Fails unless exactly the active parameters are there, each a value of its distribution, and the constraints hold. */
export function assertAllowed({ space, where }: SearchProblem, params: Params): void {
  for (const [name, distribution] of Object.entries(space)) {
    const value = params[name];
    const exists = fulfils(distribution.when, params);
    assert.equal(value !== undefined, exists, `${name} in ${JSON.stringify(params)}`);
    if (value !== undefined) assert.ok(takes(distribution, value), `${name} ${JSON.stringify(value)}`);
  }
  for (const name of Object.keys(params)) assert.ok(name in space, name);
  for (const constraint of where)
    assert.ok(satisfies(constraint, params), `${constraint.text}: ${keyOf(params)}`);
}

/** Written on its own, not with the sampler's axis, so that both would have to be wrong. */
function takes(distribution: Distribution, value: Value): boolean {
  switch (distribution.distribution) {
    case "constant":
      return value === distribution.value;
    case "choice":
      return distribution.values.some(
        (candidate, index) => candidate === value && (distribution.weights?.[index] ?? 1) > 0,
      );
    case "uniform":
    case "log-uniform":
    case "int":
    case "log-int": {
      const { max, min } = distribution;
      const isWhole = distribution.distribution === "int" || distribution.distribution === "log-int";
      const step = distribution.step ?? (isWhole ? 1 : undefined);
      if (typeof value !== "number" || value < min || value > max) return false;
      return (!isWhole || Number.isInteger(value)) && (step === undefined || isMultiple(value - min, step));
    }
    case "quantised": {
      const { max, min, step } = distribution;
      return (
        typeof value === "number" &&
        value >= min - step / 2 &&
        value <= max + step / 2 &&
        isMultiple(value, step)
      );
    }
    case "normal":
    case "log-normal":
    case "beta": {
      const { step } = distribution;
      if (typeof value !== "number" || !Number.isFinite(value)) return false;
      if (distribution.distribution !== "normal" && value < 0) return false;
      return step === undefined || isMultiple(value, step);
    }
  }
}

function isMultiple(value: number, step: number): boolean {
  return Math.abs(value / step - Math.round(value / step)) < 1e-6;
}
