/** What the Gaussian process proposes, and what it makes of pending, failed, short and several-valued results. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { keyOf } from "../../search/space/active.ts";
import type { Ask, SearchProblem, Observation } from "../../search/sampler/ask.ts";
import { decode, encode, frameOf, mask } from "../../search/gp/frame.ts";
import { gpSampler, startOf } from "../../search/gp/gp.ts";
import { globalModel, localModel } from "../../search/gp/model.ts";
import { regionOf, sideAfter } from "../../search/gp/region.ts";
import { studyOf } from "../../search/gp/study.ts";
import { warp } from "../../search/gp/warp.ts";
import { logImprovement } from "../../search/gp/log-improvement.ts";
import { drawParams, randomSampler } from "../../search/sampler/random.ts";
import { randomStream } from "../../search/space/random-stream.ts";
import type { Space } from "../../protocol/space.ts";
import type { Params } from "../../protocol/value.ts";
import { bestSoFar, runSearch, told, valuesOf } from "../support/search-run.ts";
import { median } from "../../bench/shared/median.ts";

const square: Space = {
  x: { distribution: "uniform", min: -1, max: 1 },
  y: { distribution: "uniform", min: -1, max: 1 },
};
const conditional: Space = {
  kind: { distribution: "choice", values: ["a", "b", "c"] },
  x: { distribution: "uniform", min: -1, max: 1 },
  onlyA: { distribution: "uniform", min: -1, max: 1, when: { kind: "a" } },
  onlyB: { distribution: "int", min: 1, max: 9, when: { kind: "b" } },
};

function problemOf(space: Space, more: Partial<SearchProblem> = {}): SearchProblem {
  return { space, where: [], seed: 5, trials: 40, objectives: 1, ...more };
}

function askOf(problem: SearchProblem, history: readonly Observation[], more: Partial<Ask> = {}): Ask {
  const known = new Set(history.map(({ params }) => keyOf(params)));
  const isKnown = (params: Params) => known.has(keyOf(params));
  return { problem, position: history.length, count: 1, history: () => history, isKnown, ...more };
}

const bowl = ({ x, y }: Params) => [(Number(x) - 0.3) ** 2 + (Number(y) + 0.2) ** 2];

/** A history of random trials of a problem, each with what `valuesAt` gives it. */
function historyOf(
  problem: SearchProblem,
  count: number,
  trial: Parameters<typeof runSearch>[2],
): Observation[] {
  return Array.from({ length: count }, (_, index) => {
    const params = drawParams(problem, randomStream(1, "test", index));
    return told(index + 1, params, trial(params, index + 1));
  });
}

const distance = (a: Params, b: Params) =>
  Math.hypot(Number(a["x"]) - Number(b["x"]), Number(a["y"]) - Number(b["y"]));

describe("GP-7: proposals", () => {
  test("GP-7: ends up where a smooth function is least, and before that beats random", () => {
    const problem = problemOf(square, { trials: 20 });
    const best = (sampler: typeof gpSampler, seed: number) =>
      bestSoFar(runSearch(sampler, { ...problem, seed }, valuesOf(bowl)).history).at(-1) ?? Infinity;
    const seeds = [1, 2, 3];
    const own = median(seeds.map((seed) => best(gpSampler, seed)));
    const random = median(seeds.map((seed) => best(randomSampler, seed)));
    assert.ok(own < 1e-4 && own < random / 10, `${own} against ${random}`);
  });

  test("GP-7: begins with Sobol points, as many as dimensions and budget ask for", () => {
    assert.equal(startOf(problemOf(square)), 6);
    assert.equal(startOf(problemOf(square, { trials: 8 })), 4);
    const wide = Array.from({ length: 20 }, (_, at) => [`p${at}`, square["x"]] as const);
    const space = Object.fromEntries(
      wide.flatMap(([name, d]) => (d === undefined ? [] : [[name, d] as const])),
    );
    assert.equal(startOf(problemOf(space, { trials: Infinity })), 10);
    const answer = gpSampler.ask(askOf(problemOf(square), [], { count: 4 }));
    const quadrants = answer.suggestions.map(
      ({ params }) => `${Number(params["x"]) > 0} ${Number(params["y"]) > 0}`,
    );
    assert.equal(new Set(quadrants).size, 4);
  });

  test("GP-7: keeps to a condition's parameters, and finds the best category and its own parameter", () => {
    const problem = problemOf(conditional, { trials: 34 });
    const { history } = runSearch(
      gpSampler,
      problem,
      valuesOf(({ kind, onlyA, onlyB, x }) => [
        Number(x) ** 2 +
          (kind === "a" ? 0.5 + Number(onlyA) ** 2 : kind === "b" ? (Number(onlyB) - 7) ** 2 / 20 : 0.4),
      ]),
    );
    const best = history.toSorted((a, b) => (a.values?.[0] ?? 0) - (b.values?.[0] ?? 0))[0];
    assert.deepEqual(best?.params["kind"], "b");
    assert.deepEqual(best.params["onlyB"], 7);
    assert.ok(history.every(({ params }) => "onlyA" in params === (params["kind"] === "a")));
  });
});

describe("GP-8: pending trials", () => {
  const problem = problemOf(square);
  // Wavy, so that the model is not sure of anything yet.
  const history = historyOf(
    problem,
    14,
    valuesOf(({ x, y }) => [Math.sin(7 * Number(x)) + Math.cos(6 * Number(y))]),
  );

  test("GP-8: a pending trial repels: the model no longer hopes for much there", () => {
    const [first] = gpSampler.ask(askOf(problem, history)).suggestions;
    assert.ok(first !== undefined);
    const gain = (pending: readonly Observation[]) => {
      const study = studyOf(problem, [...history, ...pending], randomStream(1, "test", 0));
      const model = globalModel(study, pending.length);
      const point = new Float64Array(study.frame.size);
      encode(study.frame, first.params, 1, point);
      return logImprovement(model.posterior.at(point), model.best()).value;
    };
    assert.ok(gain([told(15, first.params)]) < gain([]) - 1);
  });

  test("GP-8: proposals of one call, and of calls one after another, keep apart", () => {
    const eight = gpSampler.ask(askOf(problem, history, { count: 8 })).suggestions;
    const pending: Observation[] = [];
    for (let step = 0; step < 8; step++) {
      const [next] = gpSampler.ask(askOf(problem, [...history, ...pending])).suggestions;
      if (next !== undefined) pending.push(told(history.length + 1 + step, next.params));
    }
    for (const group of [eight, pending]) {
      assert.equal(group.length, 8);
      for (const [at, { params }] of group.entries())
        for (const other of group.slice(0, at)) assert.ok(distance(params, other.params) > 1e-3);
    }
  });
});

describe("GP-9: what counts as a result", () => {
  const problem = problemOf(square);

  test("GP-9: failed trials, and those without a finite value, count as the worst seen", () => {
    const history = historyOf(problem, 6, (params, n) =>
      n === 2
        ? { state: "failed" }
        : n === 3
          ? { state: "completed", resource: 1 }
          : valuesOf(() => [n])(params, n),
    );
    const { values } = studyOf(problem, history, randomStream(1, "test", 0));
    assert.deepEqual(values, [1, 6, 6, 4, 5, 6]);
  });

  test("GP-9: trials that fail in one half of the space move the search to the other", () => {
    const { history } = runSearch(gpSampler, problemOf(square, { trials: 24 }), (params, number) =>
      Number(params["x"]) > 0 ? { state: "failed" } : valuesOf(bowl)(params, number),
    );
    const late = history.slice(12).filter(({ params }) => Number(params["x"]) > 0).length;
    assert.ok(late <= 4, `${late} of the last 12 in the half that fails`);
  });

  test("GP-9: with several resources they become a coordinate, rungs included, and proposals are for the longest", () => {
    const history = historyOf(problem, 9, (params, n) => {
      const [at = 0] = bowl(params);
      const rungs = [1, 3, 9]
        .slice(0, 1 + (n % 3))
        .map((resource) => ({ resource, value: at + 1 / resource }));
      const last = rungs.at(-1);
      return {
        state: n % 3 === 2 ? "completed" : "stopped",
        values: [last?.value ?? 0],
        resource: last?.resource ?? 0,
        rungs,
      };
    });
    const { frame, rows, values } = studyOf(problem, history, randomStream(1, "test", 0));
    assert.equal(frame.size, 3);
    // Nine trials, three of which passed one rung and three two.
    assert.equal(values.length, 9 + 3 + 6);
    const resources = values.map((_, row) => rows[row * 3 + frame.resource] ?? -1);
    assert.equal(resources.filter((share) => share === 1).length, 3);
    assert.equal(resources.filter((share) => share === 0).length, 9);
    const [next] = gpSampler.ask(
      askOf(problem, [...history, ...history.map((t) => ({ ...t, number: t.number + 9 }))]),
    ).suggestions;
    assert.ok(next !== undefined && "x" in next.params);
  });

  test("GP-9: a longer run's advantage is not taken for the parameters'", () => {
    // Long runs are better everywhere by as much as the whole bowl; only short ones were made near its bottom.
    const history = historyOf(problem, 24, (params) => {
      const [at = 0] = bowl(params);
      const resource = at < 0.5 ? 1 : 9;
      return { state: "stopped", resource, values: [at + (resource === 1 ? 3 : 0)], rungs: [] };
    });
    const near = Array.from({ length: 4 }, (_, step) => {
      const [next] = gpSampler.ask(askOf(problem, history, { position: 24 + step })).suggestions;
      return bowl(next?.params ?? {})[0] ?? Infinity;
    });
    assert.ok(median(near) < 0.7, `distances ${near.join(", ")}`);
  });

  test("GP-9: several objectives are weighed anew by position, and both ends of the front are approached", () => {
    const several = problemOf(square, { objectives: 2, trials: 30 });
    const { history } = runSearch(
      gpSampler,
      several,
      valuesOf(({ x, y }) => [
        (Number(x) - 0.5) ** 2 + Number(y) ** 2,
        (Number(x) + 0.5) ** 2 + Number(y) ** 2,
      ]),
    );
    const least = (objective: number) =>
      Math.min(...history.map(({ values }) => values?.[objective] ?? Infinity));
    assert.ok(least(0) < 0.05 && least(1) < 0.05, `${least(0)} and ${least(1)}`);
    const weights = (position: number) =>
      studyOf(several, history, randomStream(5, "test", position)).values.map((value) => value.toFixed(6));
    assert.deepEqual(weights(1), weights(1));
    assert.notDeepEqual(weights(1), weights(2));
  });
});

describe("GP-10: categories", () => {
  test("GP-10: renaming the values of a category renames the proposals and nothing else", () => {
    const names: Readonly<Record<string, string>> = { a: "zebra", b: "yak", c: "x" };
    const renamed: Space = {
      ...conditional,
      kind: { distribution: "choice", values: ["zebra", "yak", "x"] },
      onlyA: { distribution: "uniform", min: -1, max: 1, when: { kind: "zebra" } },
      onlyB: { distribution: "int", min: 1, max: 9, when: { kind: "yak" } },
    };
    const rename = (params: Params): Params => ({ ...params, kind: names[String(params["kind"])] ?? "" });
    const history = historyOf(problemOf(conditional), 14, (params, n) =>
      valuesOf(() => [Math.sin(n), 0])(params, n),
    );
    const other = history.map((trial) => ({ ...trial, params: rename(trial.params) }));
    const own = gpSampler.ask(askOf(problemOf(conditional), history, { count: 3 })).suggestions;
    const theirs = gpSampler.ask(askOf(problemOf(renamed), other, { count: 3 })).suggestions;
    assert.deepEqual(
      theirs.map(({ params }) => params),
      own.map(({ params }) => rename(params)),
    );
  });

  test("GP-10: points and parameters turn into each other, inactive ones left out", () => {
    const frame = frameOf(conditional, false);
    const point = new Float64Array(frame.size);
    const masked = new Float64Array(frame.size);
    for (let index = 0; index < 30; index++) {
      const params = drawParams(problemOf(conditional), randomStream(2, "test", index));
      encode(frame, params, 1, point);
      const full = point.map((value) => (value < 0 ? 0.5 : value));
      assert.deepEqual(Object.keys(decode(frame, full)), Object.keys(params));
      mask(frame, full, masked);
      assert.deepEqual(masked, point);
    }
  });
});

describe("GP-11: values and neighbourhoods", () => {
  test("GP-11: the warp keeps the order, is standardised, and survives any finite numbers", () => {
    for (const values of [
      [3, 1, 2, 1e9, 5, 4],
      [1e308, -1e308, 0, 5],
      [-1.7e308, 1.7e308, 1.7e308],
      [1e-320, 2e-320, 1e10],
      [7, 7, 7],
      [1, 1, 1, 2],
      [5, 9, 2, 4, 4, 1e7, 3, 8, 6, 0, 7],
      [1e300, 2, 1, 1e-300, 5, -4, 1e290, 3, 3, 2],
    ]) {
      for (const withPower of [false, true]) checkWarp(values, withPower);
    }
    // One terrible result leaves the good ones distinguishable.
    const [good = 0, , better = 0] = warp([1, 2, 0, 3, 4, 1e12], false);
    assert.ok(good - better > 0.01);
    // The power transform makes a long tail of good results look more like a normal one.
    const skewed = Array.from({ length: 60 }, (_, index) => 20 - Math.exp(index / 20));
    assert.ok(Math.abs(skewness(warp(skewed, true))) < 0.5 * Math.abs(skewness(warp(skewed, false))));
  });

  function skewness(standard: Float64Array): number {
    return standard.reduce((sum, value) => sum + value ** 3, 0) / standard.length;
  }

  function checkWarp(values: readonly number[], withPower: boolean) {
    const warped = warp(values, withPower);
    assert.ok(warped.every(Number.isFinite), `${values.join(", ")} → ${warped.join(", ")}`);
    for (const [a, x] of values.entries())
      for (const [b, y] of values.entries()) if (x < y) assert.ok((warped[a] ?? 0) <= (warped[b] ?? 0));
    assert.ok(Math.abs(warped.reduce((sum, value) => sum + value, 0)) < 1e-9);
  }

  test("GP-11: the box doubles after three improvements in a row and halves after as many failures as dimensions", () => {
    const start = [10, 9, 8];
    assert.equal(sideAfter(start, 3, 5), 0.8);
    assert.equal(sideAfter([...start, 7, 6, 5], 3, 5), 1.6);
    assert.equal(sideAfter([...start, 9, 9, 9, 9], 3, 5), 0.8);
    assert.equal(sideAfter([...start, 9, 9, 9, 9, 9], 3, 5), 0.4);
    assert.equal(sideAfter([...start, 9, 9, 9, 9], 3, 2), 0.4);
    assert.equal(sideAfter([...start, ...Array.from({ length: 40 }, () => 9)], 3, 5), 0.8);
  });

  test("GP-11: the local model looks around the best trial only, and at the trials nearest to it", () => {
    const problem = problemOf(square);
    const history = historyOf(problem, 80, valuesOf(bowl));
    const study = studyOf(problem, history, randomStream(1, "test", 0));
    const { centre, near } = regionOf(study);
    assert.equal(study.values[centre], Math.min(...study.values));
    assert.ok(near.length < 80 && near.includes(centre));
    const { box } = localModel(study, 0, 6);
    assert.ok(box !== null);
    for (let at = 0; at < 2; at++) {
      const middle = study.rows[centre * 2 + at] ?? -1;
      assert.ok((box.low[at] ?? 1) <= middle && middle <= (box.high[at] ?? 0));
    }
    assert.ok((box.high[0] ?? 1) - (box.low[0] ?? 0) < 1);
  });
});
