import assert from "node:assert/strict";
import { test } from "node:test";
import { cmaSampler } from "../../search/cma-es/cma-es.ts";
import { initialState, populationOf, ratesOf, updated } from "../../search/cma-es/generation.ts";
import { withMargin } from "../../search/cma-es/margin.ts";
import { normalCumulative } from "../../numeric/normal-law.ts";
import type { Space } from "../../protocol/space.ts";
import type { Params } from "../../protocol/value.ts";
import { bestSoFar, runSearch, valuesOf, type Trial } from "../support/search-run.ts";
import { median } from "../../bench/shared/median.ts";

const plane: Space = Object.fromEntries(
  ["a", "b", "c", "d"].map((name) => [name, { distribution: "uniform", min: -5, max: 10 }]),
);

function sphere(params: Params): readonly number[] {
  return [Object.values(params).reduce<number>((sum, x) => sum + (Number(x) - 1) ** 2, 0)];
}

function lowest(space: Space, trials: number, trial: Trial, batch: number): number {
  return median(
    [1, 2].map((seed) => {
      const problem = { space, where: [], seed, trials, objectives: 1 };
      return bestSoFar(runSearch(cmaSampler, problem, trial, batch).history).at(-1) ?? Infinity;
    }),
  );
}

test("CMA-1: it converges on a sphere, one trial at a time or more than a generation", () => {
  const alone = lowest(plane, 240, valuesOf(sphere), 1);
  assert.ok(alone < 0.02, `${alone} after 240 trials`);
  const twelve = lowest(plane, 400, valuesOf(sphere), 12);
  assert.ok(twelve < 0.02, `${twelve} after 400 trials in twelves`);
});

test("CMA-2: it learns a valley that is long, narrow and askew", () => {
  const valley = valuesOf(({ a = 0, b = 0 }) => {
    const [x, y] = [Number(a) - 2, Number(b) - 2];
    return [(x + y) ** 2 + 1e4 * (x - y) ** 2];
  });
  const space: Space = {
    a: { distribution: "uniform", min: -5, max: 10 },
    b: { distribution: "uniform", min: -5, max: 10 },
  };
  const found = lowest(space, 300, valley, 1);
  assert.ok(found < 1e-4, `${found}`);
});

test("CMA-3: failed, stopped and still pending members of a generation do not keep it from converging", () => {
  const trial: Trial = (params, number) => {
    const values = sphere(params);
    if (number % 6 === 0) return { state: "failed" };
    if (number % 7 === 0) return {};
    if (number % 5 === 0) return { state: "stopped", values: [(values[0] ?? 0) + 50], resource: 1 };
    return { state: "completed", values, resource: 3 };
  };
  const found = lowest(plane, 300, trial, 1);
  assert.ok(found < 0.05, `${found}`);
});

test("CMA-4: whole numbers keep moving until they are right", () => {
  const mixed: Space = {
    width: { distribution: "int", min: 1, max: 40 },
    depth: { distribution: "int", min: 1, max: 12 },
    flag: { distribution: "int", min: 0, max: 1 },
    rate: { distribution: "log-uniform", min: 1e-5, max: 1 },
  };
  // The right flag is worth something only once the rest is nearly right.
  const loss = valuesOf(({ depth, flag, rate, width }) => {
    const rest =
      (Math.log10(Number(rate)) + 3) ** 2 + ((Number(width) - 31) / 10) ** 2 + ((Number(depth) - 3) / 3) ** 2;
    return [rest + (Number(flag) === 1 ? 0 : Math.min(0.01, 0.2 - Math.min(0.2, rest)))];
  });
  const found = lowest(mixed, 300, loss, 1);
  assert.ok(found < 1e-3, `${found}`);
});

test("CMA-5: the margin leaves a chance of 1/(dλ) of leaving the value the mean stands on, half of it each way", () => {
  const [d, lambda] = [2, 6];
  const state = { ...initialState(Float64Array.of(0.52, 0.04), 1e-6), generation: 3 };
  const tenths = (_: number, x: number) => {
    const index = Math.min(9, Math.max(0, Math.floor(x * 10)));
    return { low: index / 10, high: (index + 1) / 10 };
  };
  const { mean, stretch } = withMargin(state, lambda, tenths);
  const alpha = 1 / (d * lambda);
  const chance = (axis: number, way: number) =>
    normalCumulative(-Math.abs(way - (mean[axis] ?? 0)) / (1e-6 * (stretch[axis] ?? 1)));
  assert.ok(Math.abs(chance(0, 0.5) - alpha / 2) < 1e-3 && Math.abs(chance(0, 0.6) - alpha / 2) < 1e-3);
  assert.ok(Math.abs(chance(1, 0.1) - alpha) < 1e-6);
  assert.deepEqual(withMargin(state, lambda, () => null).mean, state.mean);
});

test("CMA-6: rates and weights are those of the tutorial", () => {
  // Weights, effective, c1 and cmu as Hansen's package cma 4.5.0 has them for ten dimensions without active updates;
  // the step size's rate and damping from the tutorial's formulas, (μ + 2)/(d + μ + 5) and 1 + that rate.
  assert.equal(populationOf(10), 10);
  const { damping, effective, rankMuRate, rankOneRate, sigmaRate, weights } = ratesOf(10, 10);
  const close = (value: number | undefined, expected: number) =>
    assert.ok(Math.abs((value ?? 0) - expected) < 1e-12, `${value} for ${expected}`);
  close(weights[0], 0.45627264690340597);
  close(effective, 3.1672992814107017);
  close(rankOneRate, 0.015283824524751714);
  close(rankMuRate, 0.02355177665041747);
  close(sigmaRate, (effective + 2) / (10 + effective + 5));
  close(damping, 1 + sigmaRate);
});

test("CMA-7: a generation that is far better on one side moves the mean there and widens the way", () => {
  const state = initialState(Float64Array.of(0.5, 0.5), 0.1);
  const rates = ratesOf(2, 6);
  const next = updated(state, rates, [
    Float64Array.of(0.7, 0.5),
    Float64Array.of(0.65, 0.5),
    Float64Array.of(0.6, 0.5),
  ]);
  assert.ok(next !== null);
  assert.ok((next.mean[0] ?? 0) > 0.6 && Math.abs((next.mean[1] ?? 0) - 0.5) < 1e-12);
  assert.ok((next.covariance[0] ?? 0) > (next.covariance[3] ?? 0));
  assert.ok(next.sigma > 0.1);
});

test("CMA-8: conditions are refused with advice, and so is a space without a number", () => {
  const conditional: Space = {
    ...plane,
    a: { distribution: "uniform", min: 0, max: 1, when: { b: { min: 1 } } },
  };
  const problem = (space: Space) => ({ space, where: [], seed: 1, trials: 9, objectives: 1 });
  assert.deepEqual(cmaSampler.unsuited(problem(conditional)), {
    parameter: "a",
    message: "cma-es needs every parameter in every trial; search conditions with tpe or auto",
  });
  const lists = cmaSampler.unsuited(problem({ kind: { distribution: "choice", values: ["a", "b"] } }));
  assert.match(lists?.message ?? "", /moves numbers only/);
  const beside: Space = { ...plane, kind: { distribution: "choice", values: ["a", "b"] } };
  assert.equal(cmaSampler.unsuited(problem(beside)), null);
});
