import assert from "node:assert/strict";
import { test } from "node:test";
import type { SearchProblem } from "../../search/sampler/ask.ts";
import { randomSampler } from "../../search/sampler/random.ts";
import { randomStream } from "../../search/space/random-stream.ts";
import { sobolTrials } from "../../search/sampler/sobol.ts";
import { parzenOf } from "../../search/tpe/parzen.ts";
import { splitTrials } from "../../search/tpe/split-trials.ts";
import { tpeSampler } from "../../search/tpe/tpe.ts";
import type { Distribution, Space } from "../../protocol/space.ts";
import type { Params } from "../../protocol/value.ts";
import { bestSoFar, runSearch, told, valuesOf } from "../support/search-run.ts";
import { median } from "../../bench/shared/median.ts";

const number = (value: unknown) => Number(value);

const branin: Space = {
  a: { distribution: "uniform", min: -5, max: 10 },
  b: { distribution: "uniform", min: 0, max: 15 },
};

function braninLoss(params: Params): readonly number[] {
  const [a, b] = [number(params["a"]), number(params["b"])];
  const bowl = b - (5.1 * a * a) / (4 * Math.PI ** 2) + (5 * a) / Math.PI - 6;
  return [bowl * bowl + 10 * (1 - 1 / (8 * Math.PI)) * Math.cos(a) + 10 - 0.397887];
}

test("TPE-1: at 50 trials it is well ahead of random, in the median of nine seeds", () => {
  const after = (sampler: typeof tpeSampler, batch: number) =>
    median(
      [1, 2, 3, 4, 5, 6, 7, 8, 9].map((seed) => {
        const problem = { space: branin, where: [], seed, trials: 50, objectives: 1 };
        return bestSoFar(runSearch(sampler, problem, valuesOf(braninLoss), batch).history).at(-1) ?? Infinity;
      }),
    );
  const random = after(randomSampler, 1);
  const [alone, eight] = [after(tpeSampler, 1), after(tpeSampler, 8)];
  assert.ok(alone < random / 2, `${alone} against ${random}`);
  assert.ok(eight < random, `eight at a time: ${eight} against ${random}`);
});

/** The mixture's density must be one whatever the kernels are; the axis is gone through in small steps or cell by cell. */
test("TPE-2: the estimator's density adds up to one over the axis, and its draws follow it", () => {
  const distributions: readonly { distribution: Distribution; values: readonly (number | string)[] }[] = [
    { distribution: { distribution: "uniform", min: 2, max: 4 }, values: [2, 2.1, 3.9, 2.5] },
    { distribution: { distribution: "log-int", min: 1, max: 9 }, values: [1, 1, 9, 4] },
    { distribution: { distribution: "uniform", min: 0, max: 1, step: 0.25 }, values: [0.25, 1] },
    {
      distribution: { distribution: "choice", values: ["x", "y", "z"], weights: [1, 1, 2] },
      values: ["x", "z", "x"],
    },
  ];
  for (const { distribution, values } of distributions) {
    const dimensions = [{ name: "p", distribution }];
    const estimator = parzenOf(
      dimensions,
      values.map((p) => ({ p })),
    );
    const isContinuous = distribution.distribution === "uniform" && distribution.step === undefined;
    const points: Params[] = isContinuous
      ? Array.from({ length: 2000 }, (_, index) => ({ p: 2 + (2 * (index + 0.5)) / 2000 }))
      : [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0.25, 0.5, 0.75, "x", "y", "z"]
          .filter((p) =>
            distribution.distribution === "choice"
              ? typeof p === "string"
              : distribution.distribution === "log-int"
                ? typeof p === "number" && p >= 1
                : typeof p === "number" && p <= 1,
          )
          .map((p) => ({ p }));
    const density = estimator.logDensity(points).map(Math.exp);
    const total = density.reduce((sum, p) => sum + p, 0) / (isContinuous ? 2000 : 1);
    assert.ok(Math.abs(total - 1) < 1e-3, `${distribution.distribution}: ${total}`);

    const random = randomStream(5, "test", 0);
    const draws = Array.from({ length: 4000 }, () => estimator.sample(random)["p"]);
    const half = points.slice(0, Math.ceil(points.length / 2)).map(({ p }) => p);
    const expected = density.slice(0, half.length).reduce((sum, p) => sum + p, 0) / (isContinuous ? 2000 : 1);
    const share =
      draws.filter((p) => (isContinuous ? number(p) < 3 : half.includes(p ?? ""))).length / draws.length;
    assert.ok(Math.abs(share - expected) < 0.04, `${distribution.distribution}: ${share} of ${expected}`);
  }
});

test("TPE-3: a tenth of the finished trials are good, at most 25; pending and failed ones stand with the others", () => {
  const trials = Array.from({ length: 41 }, (_, index) =>
    index % 4 === 3
      ? told(index + 1, { p: index }, index % 8 === 3 ? {} : { state: "failed" })
      : told(index + 1, { p: index }, { state: "completed", values: [(index * 7) % 41], resource: 1 }),
  );
  const { above, below, measured } = splitTrials(trials, 1, 3);
  // 31 completed and 5 failed trials have ended; a tenth of 36 is 4.
  assert.equal(measured, 31);
  assert.equal(below.length, 4);
  const worst = Math.max(...below.map(({ values }) => values?.[0] ?? Infinity));
  for (const { values } of above) assert.ok(values === null || number(values[0]) >= worst);
  assert.equal(above.length, trials.length - 4);
  assert.deepEqual(
    below.map(({ number: n }) => n),
    below.map(({ number: n }) => n).toSorted((a, b) => a - b),
  );
  const many = Array.from({ length: 5000 }, (_, index) =>
    told(index + 1, { p: index }, { state: "completed", values: [index], resource: 1 }),
  );
  const split = splitTrials(many, 1, 3);
  assert.equal(split.below.length, 25);
  assert.ok(split.above.length <= 1000 && split.above.at(-1)?.number === 5000);
});

test("TPE-4: trials of different lengths are compared at the highest resource with enough results", () => {
  const trials = Array.from({ length: 30 }, (_, index) => {
    // The higher a trial got, the worse its number: comparing last values would choose the short ones.
    const reached = [1, 3, 9].slice(0, index < 18 ? 1 : index < 26 ? 2 : 3);
    const rungs = reached.map((resource) => ({ resource, value: resource * 10 + index }));
    const last = rungs.at(-1) ?? { resource: 0, value: 0 };
    return told(
      index + 1,
      { p: index },
      { state: "stopped", values: [last.value], resource: last.resource, rungs },
    );
  });
  const { below, measured } = splitTrials(trials, 1, 5);
  // Four trials reached 9, too few; twelve reached 3.
  assert.equal(measured, 12);
  assert.deepEqual(
    below.map(({ number: n }) => n),
    [19, 20, 21],
  );
  assert.equal(splitTrials(trials, 1, 4).measured, 4);
});

test("TPE-4: ten trials judged at whatever resource end the start, though few have gone far", () => {
  const problem: SearchProblem = { space: branin, where: [], seed: 6, trials: 100, objectives: 1 };
  const { history } = runSearch(tpeSampler, { ...problem, trials: 12 }, (params, n) => {
    const reached = n <= 4 ? [1, 3] : [1];
    const rungs = reached.map((resource) => ({ resource, value: braninLoss(params)[0] ?? 0 }));
    return {
      state: "stopped",
      values: [rungs.at(-1)?.value ?? 0],
      resource: rungs.length === 2 ? 3 : 1,
      rungs,
    };
  });
  const next = (told: typeof history) =>
    tpeSampler.ask({ problem, position: 12, count: 1, history: () => told, isKnown: () => false })
      .suggestions[0];
  const startOf = sobolTrials(problem);
  assert.deepEqual(next(history.slice(0, 9))?.params, startOf(12));
  assert.notDeepEqual(next(history)?.params, startOf(12));
});

test("TPE-5: with several objectives the good trials are the first front", () => {
  const trials = Array.from({ length: 40 }, (_, index) => {
    const [x, off] = [index % 4, Math.floor(index / 4)];
    return told(index + 1, { p: index }, { state: "completed", values: [x + off, 3 - x + off], resource: 1 });
  });
  const { below } = splitTrials(trials, 2, 3);
  assert.deepEqual(
    below.map(({ number: n }) => n),
    [1, 2, 3, 4],
  );
});

test("TPE-6: pending trials push proposals away from where they are", () => {
  const space: Space = { x: { distribution: "uniform", min: 0, max: 1 } };
  const problem: SearchProblem = { space, where: [], seed: 2, trials: 100, objectives: 1 };
  const finished = Array.from({ length: 30 }, (_, index) => {
    const x = (index + 0.5) / 30;
    return told(
      index + 1,
      { x },
      { state: "completed", values: [Math.min((x - 0.2) ** 2, (x - 0.8) ** 2)], resource: 1 },
    );
  });
  const pending = Array.from({ length: 20 }, (_, index) => told(31 + index, { x: 0.18 + index / 500 }));
  const nearPending = (history: typeof finished) => {
    const { suggestions } = tpeSampler.ask({
      problem,
      position: 50,
      count: 20,
      history: () => history,
      isKnown: () => false,
    });
    return suggestions.filter(({ params }) => Math.abs(number(params["x"]) - 0.2) < 0.1).length;
  };
  assert.ok(nearPending(finished) > nearPending([...finished, ...pending]));
});

test("TPE-7: a conditional parameter is learned from the trials that have it", () => {
  const space: Space = {
    kind: { distribution: "choice", values: ["plain", "deep"] },
    size: { distribution: "uniform", min: 0, max: 1, when: { kind: "deep" } },
  };
  const problem = { space, where: [], seed: 4, trials: 60, objectives: 1 };
  const loss = (params: Params) => [params["kind"] === "plain" ? 1 : Math.abs(number(params["size"]) - 0.7)];
  const { history } = runSearch(tpeSampler, problem, valuesOf(loss));
  const late = history.slice(30).filter(({ params }) => params["kind"] === "deep");
  assert.ok(late.length > 20, `${late.length} of 30 are of the better kind`);
  const off = median(late.map(({ params }) => Math.abs(number(params["size"]) - 0.7)));
  assert.ok(off < 0.12, `they are ${off} off in the median; chance would be 0.26`);
});
