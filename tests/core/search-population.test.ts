import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { SearchProblem, SearchSampler, Observation } from "../../search/sampler/ask.ts";
import { nsgaSampler } from "../../search/sampler/nsga-ii.ts";
import { pbtSampler, populationSize } from "../../search/sampler/pbt.ts";
import { randomSampler } from "../../search/sampler/random.ts";
import { crowding, dominates, fronts, ranked } from "../../search/sampler/rank.ts";
import type { Space } from "../../protocol/space.ts";
import type { Params } from "../../protocol/value.ts";
import { runSearch, told, valuesOf } from "../support/search-run.ts";
import { median } from "../../bench/shared/median.ts";

const points = fc
  .integer({ min: 1, max: 3 })
  .chain((objectives) =>
    fc.array(fc.array(fc.nat(6), { minLength: objectives, maxLength: objectives }), { maxLength: 25 }),
  );

test("RANK-1: a front is what nothing outside the fronts before it dominates", () => {
  fc.assert(
    fc.property(points, (all) => {
      const found = fronts(all);
      assert.deepEqual(
        found.flat().toSorted((a, b) => a - b),
        [...all.keys()],
      );
      let left = [...all.keys()];
      for (const front of found) {
        const expected = left.filter((i) => left.every((j) => !dominates(all[j] ?? [], all[i] ?? [])));
        assert.deepEqual(
          front.toSorted((a, b) => a - b),
          expected,
        );
        left = left.filter((i) => !front.includes(i));
      }
      const order = ranked(all);
      assert.equal(new Set(order).size, all.length);
    }),
  );
});

test("RANK-2: the ends of a front come before its middle, and the lonelier before the crowded", () => {
  const front = [
    [0, 10],
    [1, 5],
    [1.1, 4.9],
    [1.2, 4.8],
    [6, 1],
    [10, 0],
  ];
  const distance = crowding(front, [...front.keys()]);
  assert.equal(distance[0], Infinity);
  assert.equal(distance[5], Infinity);
  assert.deepEqual(ranked(front).slice(0, 3), [0, 5, 4]);
});

const zdt: Space = Object.fromEntries(
  Array.from({ length: 6 }, (_, index) => [`x${index}`, { distribution: "uniform", min: 0, max: 1 }]),
);

/** ZDT1 (Zitzler, Deb and Thiele 2000) in six dimensions. */
function zdt1(params: Params): readonly number[] {
  const [first = 0, ...rest] = Object.values(params).map(Number);
  const g = 1 + (9 * rest.reduce((sum, x) => sum + x, 0)) / rest.length;
  return [first, g * (1 - Math.sqrt(first / g))];
}

/** Area dominated by two-objective results, up to a reference point. */
function hypervolume(history: readonly Observation[], [right, top]: readonly [number, number]): number {
  const results = history
    .map(({ values }) => values ?? [])
    .filter(([a = Infinity, b = Infinity]) => a < right && b < top)
    .toSorted(([a = 0], [b = 0]) => a - b);
  let area = 0;
  let ceiling = top;
  for (const [a = 0, b = 0] of results) {
    if (b >= ceiling) continue;
    area += (right - a) * (ceiling - b);
    ceiling = b;
  }
  return area;
}

test("NSGA-1: its front on ZDT1 covers far more than random's, one or eight trials at a time", () => {
  const covered = (sampler: SearchSampler, batch: number) =>
    median(
      [1, 2, 3].map((seed) => {
        const problem = { space: zdt, where: [], seed, trials: 150, objectives: 2 };
        return hypervolume(runSearch(sampler, problem, valuesOf(zdt1), batch).history, [1.1, 7]);
      }),
    );
  const random = covered(randomSampler, 1);
  // The true front covers 7.04.
  for (const batch of [1, 8]) {
    const found = covered(nsgaSampler, batch);
    assert.ok(found > random + 0.5 * (7.04 - random), `${found} at ${batch} against ${random}`);
  }
});

const rates: Space = {
  rate: { distribution: "log-uniform", min: 1e-4, max: 1 },
  layers: { distribution: "int", min: 1, max: 8 },
  kind: { distribution: "choice", values: ["a", "b", "c", "d"] },
};
const problem: SearchProblem = { space: rates, where: [], seed: 3, trials: 80, objectives: 1 };

/** Twenty trials of which those with even numbers reached resource 9; at 3, the higher the number the better. */
const rungHistory = Array.from({ length: 20 }, (_, index) => {
  const n = index + 1;
  const rungs = [{ resource: 3, value: 1 / n }, ...(n % 2 === 0 ? [{ resource: 9, value: n }] : [])];
  return told(n, { rate: 0.001 * n, layers: 1 + (n % 8), kind: "b" }, { rungs });
});

test("PBT-1: a child starts from a trial in the best quarter at the highest resource that enough have reached", () => {
  const { suggestions } = pbtSampler.ask({
    problem,
    position: 20,
    count: 40,
    history: () => rungHistory,
    isKnown: () => false,
  });
  const parents = new Set(suggestions.map(({ parent }) => parent));
  // Ten trials reached 9, where the lower numbers are the better: a quarter of them is three.
  assert.deepEqual(
    [...parents].toSorted((a, b) => Number(a) - Number(b)),
    [2, 4, 6],
  );
});

test("PBT-2: a child's numbers are its parent's times 1.2 or 0.8, or drawn anew one time in four", () => {
  const suggestions = Array.from({ length: 400 }, (_, position) =>
    pbtSampler.ask({ problem, position, count: 1, history: () => rungHistory, isKnown: () => false }),
  ).flatMap((answer) => answer.suggestions);
  let moved = 0;
  let neighbours = 0;
  for (const { params, parent } of suggestions) {
    const factor = Number(params["rate"]) / (0.001 * (parent ?? 0));
    if (Math.abs(factor - 1.2) < 1e-9 || Math.abs(factor - 0.8) < 1e-9) moved++;
    if (params["kind"] === "a" || params["kind"] === "c") neighbours++;
  }
  assert.ok(Math.abs(moved / 400 - 0.75) < 0.08, `${moved} of 400 moved`);
  // Three in four go to a neighbour in the list; of those drawn anew, half land on one.
  assert.ok(Math.abs(neighbours / 400 - 0.875) < 0.07, `${neighbours} of 400 beside b`);
});

test("PBT-3: the first trials have no parent, nor has any while nothing was measured; failed trials have no children", () => {
  const few = rungHistory.slice(0, populationSize(problem) - 1);
  const asked = (history: readonly Observation[], count: number) =>
    pbtSampler.ask({ problem, position: 0, count, history: () => history, isKnown: () => false }).suggestions;
  assert.equal(asked(few, 1)[0]?.parent, null);
  assert.equal(
    asked(
      rungHistory.map(({ number, params }) => told(number, params)),
      1,
    )[0]?.parent,
    null,
  );
  const failed = rungHistory.map((trial) =>
    trial.number === 2 ? { ...trial, state: "failed" as const } : trial,
  );
  assert.ok(asked(failed, 30).every(({ parent }) => parent !== null && parent !== 2));
});

test("PBT-4: what other parameters depend on is inherited, so that the parent's checkpoint fits", () => {
  const space: Space = {
    ...rates,
    model: { distribution: "choice", values: ["small", "large"] },
    heads: { distribution: "int", min: 1, max: 64, when: { model: "large" } },
  };
  const history = rungHistory.map((trial) => {
    const isLarge = trial.number % 4 === 0;
    const own = isLarge ? { model: "large", heads: 8 } : { model: "small" };
    return { ...trial, params: { ...trial.params, ...own } };
  });
  const ask = { problem: { ...problem, space }, position: 20, count: 60, isKnown: () => false };
  for (const { params, parent } of pbtSampler.ask({ ...ask, history: () => history }).suggestions) {
    assert.equal(params["model"], parent === 4 ? "large" : "small");
    assert.equal(params["heads"] !== undefined, parent === 4);
  }
});
