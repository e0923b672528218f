/** What every sampler keeps to, whatever it is clever at. One table of samplers, one suite. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { keyOf } from "../../search/space/active.ts";
import type { Ask, SearchProblem, SearchSampler, Observation } from "../../search/sampler/ask.ts";
import { samplerNamed } from "../../search/choose/choose-sampler.ts";
import type { Constraint } from "../../protocol/constraint.ts";
import type { Space } from "../../protocol/space.ts";
import type { Params } from "../../protocol/value.ts";
import { assertAllowed, runSearch, told, valuesOf, type Trial } from "../support/search-run.ts";

const productLimit: Constraint = {
  text: "layers * width <= 24",
  terms: [
    { coefficient: 1, parameters: ["layers", "width"] },
    { coefficient: -24, parameters: [] },
  ],
  relation: "<=",
};

/** Everything a list can be made of, with a condition on a condition. */
const listable: Space = {
  momentum: { distribution: "uniform", min: 0, max: 0.9, step: 0.3, when: { optimizer: "sgd" } },
  optimizer: { distribution: "choice", values: ["sgd", "adam", "off"], weights: [1, 2, 0] },
  nesterov: { distribution: "choice", values: [true, false], when: { momentum: { min: 0.5 } } },
  layers: { distribution: "int", min: 2, max: 8, step: 2 },
  width: { distribution: "log-int", min: 1, max: 8 },
  dropout: { distribution: "quantised", min: 0.1, max: 0.5, step: 0.2 },
  depth: { distribution: "constant", value: 3 },
};

const numbers: Space = {
  layers: { distribution: "int", min: 2, max: 12, step: 2 },
  width: { distribution: "log-int", min: 1, max: 64 },
  rate: { distribution: "log-uniform", min: 1e-5, max: 1 },
  decay: { distribution: "log-uniform", min: 0.5, max: 9, step: 0.5 },
  mix: { distribution: "uniform", min: -1, max: 1 },
  shift: { distribution: "normal", mean: 1, deviation: 2 },
  noise: { distribution: "log-normal", mean: 0, deviation: 1, step: 0.25 },
  share: { distribution: "beta", a: 2, b: 5 },
  bits: { distribution: "quantised", min: 1, max: 100, step: 5, log: true },
  depth: { distribution: "constant", value: "deep" },
};

const everything: Space = {
  ...numbers,
  optimizer: { distribution: "choice", values: ["sgd", "adam", "off"], weights: [1, 2, 0] },
  momentum: { distribution: "uniform", min: 0, max: 0.99, when: { optimizer: "sgd" } },
  nesterov: { distribution: "choice", values: [true, false], when: { momentum: { min: 0.5 } } },
  beta2: { distribution: "uniform", min: 0.9, max: 0.999, step: 0.001, when: { optimizer: { not: "sgd" } } },
};

interface Row {
  readonly name: Parameters<typeof samplerNamed>[0];
  readonly space: Space;
  /** Fewer trials where each proposal costs a fit. */
  readonly trials?: number;
}

const samplers: readonly Row[] = [
  { name: "grid", space: listable },
  { name: "random", space: everything },
  { name: "sobol", space: everything },
  { name: "tpe", space: everything },
  { name: "gp", space: everything, trials: 16 },
  { name: "auto", space: everything, trials: 16 },
  { name: "cma-es", space: numbers },
  { name: "pbt", space: everything },
  { name: "nsga-ii", space: everything },
];

function problemOf(space: Space, more: Partial<SearchProblem> = {}): SearchProblem {
  return { space, where: [productLimit], seed: 7, trials: 30, objectives: 1, ...more };
}

/** A made-up loss that uses whatever numbers there are. */
function loss(params: Params): number {
  let sum = 0;
  for (const [name, value] of Object.entries(params)) {
    if (typeof value === "number") sum += Math.abs(Math.log1p(Math.abs(value)) - name.length / 8);
    else sum += String(value).length / 10;
  }
  return sum;
}

const completes = valuesOf((params) => [loss(params)]);

function askOf(problem: SearchProblem, history: readonly Observation[], more: Partial<Ask> = {}): Ask {
  const known = new Set(history.map(({ params }) => keyOf(params)));
  return {
    problem,
    position: history.length,
    count: 1,
    history: () => history,
    isKnown: (params) => known.has(keyOf(params)),
    ...more,
  };
}

const rungs = [
  { resource: 1, value: 0 },
  { resource: 3, value: 0 },
  { resource: 9, value: 0 },
];

/** Trials of a sweep with early stopping: a third reach each rung, some go on, some fail. */
const judged: Trial = (params, number) => {
  const reached = rungs.slice(0, 1 + (number % 3)).map(({ resource }) => ({
    resource,
    value: loss(params) + 1 / resource,
  }));
  const last = reached.at(-1);
  if (number % 7 === 0) return { state: "failed", rungs: reached.slice(0, 1) };
  if (number % 5 === 0) return { state: "pending", rungs: reached };
  return {
    state: last?.resource === 9 ? "completed" : "stopped",
    values: last === undefined ? null : [last.value],
    resource: last?.resource ?? 0,
    rungs: reached,
  };
};

const hard: readonly { readonly what: string; readonly trial: Trial }[] = [
  { what: "all failed", trial: () => ({ state: "failed" }) },
  { what: "all pending", trial: () => ({ state: "pending" }) },
  { what: "results that are not numbers", trial: () => ({ state: "completed", resource: 1 }) },
  { what: "all equal", trial: () => ({ state: "completed", values: [0.5], resource: 1 }) },
  {
    what: "huge and tiny",
    trial: (_, n) => ({ state: "completed", values: [(-1) ** n * 10 ** ((n % 40) * 15 - 300)], resource: 1 }),
  },
  { what: "stopped at different rungs", trial: judged },
  {
    what: "some of everything",
    trial: (params, n) => (n % 3 === 0 ? { state: "failed" } : n % 3 === 1 ? {} : completes(params, n)),
  },
];

for (const { name, space, trials = 30 } of samplers) {
  describe(`SAMPLER ${name}`, () => {
    const sampler = named(name);
    const problem = problemOf(space, { trials });

    test("SAMPLER-1: takes the space, and proposes only what bounds, steps, conditions and constraints allow", () => {
      assert.equal(sampler.unsuited(problem), null);
      const { history } = runSearch(sampler, problem, completes, 4);
      assert.equal(history.length, problem.trials);
      for (const { params } of history) assertAllowed(problem, params);
      assert.equal(new Set(history.map(({ params }) => keyOf(params))).size, history.length);
    });

    test("SAMPLER-2: the same seed and history give the same proposals, in whatever order the history comes", () => {
      const { history } = runSearch(sampler, problem, judged, 3);
      const ask = askOf(problem, history, { count: 3 });
      const answer = sampler.ask(ask);
      assert.deepEqual(sampler.ask(ask), answer);
      const backwards = askOf(problem, history.toReversed(), { count: 3 });
      assert.deepEqual(sampler.ask(backwards), answer);
      assert.deepEqual(runSearch(sampler, problem, judged, 3).history, history);
    });

    test("SAMPLER-3: a pending proposal counts: asked again, the sampler proposes something else", () => {
      const { history, position } = runSearch(sampler, problem, completes);
      const [first] = sampler.ask(askOf(problem, history, { position })).suggestions;
      assert.ok(first !== undefined);
      const pending = [...history, told(history.length + 1, first.params)];
      for (const at of [position, position + 1]) {
        const [second] = sampler.ask(askOf(problem, pending, { position: at })).suggestions;
        assert.ok(second !== undefined);
        assert.notEqual(keyOf(second.params), keyOf(first.params));
      }
    });

    test("SAMPLER-4: many at a time are distinct, and the position moves on", () => {
      const { history, position } = runSearch(sampler, problem, completes, 8);
      const answer = sampler.ask(askOf(problem, history, { position, count: 8 }));
      assert.equal(answer.suggestions.length, 8);
      const keys = [...history, ...answer.suggestions].map(({ params }) => keyOf(params));
      assert.equal(new Set(keys).size, keys.length);
      assert.ok(answer.position >= position + 8);
      for (const { parent } of answer.suggestions)
        assert.ok(parent === null || history.some(({ number }) => number === parent));
    });

    for (const where of [[], [productLimit]]) {
      const allowed = where.length === 0 ? 12 : 11;
      test(`SAMPLER-5: a space of ${allowed} trials is used up without a repeat, then nothing more comes`, () => {
        const small: Space = {
          layers: { distribution: "int", min: 4, max: 7 },
          width: { distribution: "int", min: 2, max: 4 },
        };
        const tiny = problemOf(small, { where, trials: 100 });
        const expected = Array.from({ length: 12 }, (_, i) => (4 + (i % 4)) * (2 + Math.floor(i / 4)));
        assert.equal(expected.filter((product) => where.length === 0 || product <= 24).length, allowed);
        const { history, position } = runSearch(sampler, tiny, completes, 5);
        assert.equal(sampler.size(tiny), allowed);
        assert.equal(history.length, allowed);
        assert.equal(new Set(history.map(({ params }) => keyOf(params))).size, allowed);
        assert.deepEqual(sampler.ask(askOf(tiny, history, { position, count: 3 })).suggestions, []);
      });
    }

    test("SAMPLER-5: the last trials of a larger space are found, though draws hardly ever meet them", () => {
      const larger: Space = {
        layers: { distribution: "int", min: 1, max: 40 },
        width: { distribution: "int", min: 1, max: 50 },
      };
      const wide = problemOf(larger, { where: [], trials: 2000 });
      const isLeft = (params: Params) => params["layers"] === 17 && Number(params["width"]) > 48;
      // One trial in a hundred has a result, which is history enough.
      const { history } = runSearch(named("random"), { ...wide, trials: 20 }, completes);
      const ask = askOf(
        wide,
        history.filter(({ params }) => !isLeft(params)),
        {
          position: 0,
          count: 3,
          isKnown: (params) => !isLeft(params),
        },
      );
      const found = sampler.ask(ask).suggestions.map(({ params }) => params["width"]);
      assert.deepEqual(new Set(found), new Set([49, 50]));
      assert.equal(found.length, 2);
    });

    test("SAMPLER-6: a space of constants holds one trial", () => {
      const constant = problemOf({ depth: { distribution: "constant", value: 3 } }, { where: [] });
      const { history, position } = runSearch(sampler, constant, completes, 2);
      assert.deepEqual(
        history.map(({ params }) => params),
        [{ depth: 3 }],
      );
      assert.deepEqual(sampler.ask(askOf(constant, history, { position })).suggestions, []);
    });

    for (const { trial, what } of hard) {
      test(`SAMPLER-7: goes on after results that are ${what}`, () => {
        const { history } = runSearch(sampler, problem, trial, 3);
        assert.equal(history.length, problem.trials);
        for (const { params } of history) assertAllowed(problem, params);
      });
    }

    test("SAMPLER-8: several objectives, and gaps in the numbers, are taken", () => {
      const several = problemOf(space, { objectives: 2, trials });
      const { history } = runSearch(
        sampler,
        several,
        valuesOf((params) => [loss(params), -loss(params)]),
        2,
      );
      assert.equal(history.length, several.trials);
      const sparse = history.filter((_, index) => index % 3 !== 0);
      const [next] = sampler.ask(askOf(several, sparse, { position: history.length })).suggestions;
      assert.ok(next !== undefined);
      assertAllowed(several, next.params);
    });

    if (name !== "grid") {
      test("SAMPLER-9: another seed searches elsewhere", () => {
        const first = runSearch(sampler, problem, completes, 5).history;
        const second = runSearch(sampler, { ...problem, seed: 8 }, completes, 5).history;
        const seen = new Set(first.map(({ params }) => keyOf(params)));
        assert.ok(second.filter(({ params }) => seen.has(keyOf(params))).length < second.length / 2);
      });
    }
  });
}

function named(name: Parameters<typeof samplerNamed>[0]): SearchSampler {
  const sampler = samplerNamed(name);
  if (sampler === null) throw new Error(`no sampler ${name}`);
  return sampler;
}
