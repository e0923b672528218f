/** What a sweep's view tells: which trials are compared, what the best was when, what ten more trials would gain. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { bestSoFar } from "../../coordinator/insight/best-so-far.ts";
import {
  comparableTrials,
  enoughTrials,
  type ComparedTrial,
} from "../../coordinator/insight/compared-trial.ts";
import { observedDomain, parametersOf } from "../../coordinator/insight/insight-parameter.ts";
import { gainTrialsLeast, nextTrials, predictedGain } from "../../coordinator/insight/predicted-gain.ts";
import { sweepInsight, type SweepInsight } from "../../coordinator/insight/sweep-insight.ts";
import { randomStream } from "../../search/space/random-stream.ts";
import type { SweepView } from "../../protocol/view.ts";
import { trialFixture } from "../support/view-fixture.ts";
import { sweptSpace, sweptView } from "../support/swept-view.ts";

const swept = sweptView();
const insight = sweepInsight(swept, { fasttext: sweptSpace });

test("INSIGHT-3: trials are compared at the highest resource that enough of them reached, else where most did", () => {
  const both = comparableTrials(sweptView(2 * enoughTrials));
  assert.equal(both.resource, 3);
  assert.equal(both.trials.length, enoughTrials);
  const fewer = comparableTrials(sweptView(2 * enoughTrials - 2));
  assert.equal(fewer.resource, 1);
  assert.equal(fewer.trials.length, 2 * enoughTrials - 2);
});

test("INSIGHT-3: trials without a result are compared with none", () => {
  const view = sweptView(10);
  const silent = trialFixture("s1", 11, { state: "failed", value: null, rungs: [], failure: "it broke" });
  const found = comparableTrials({ ...view, trials: [...view.trials, silent] });
  assert.deepEqual(
    found.trials.map(({ number }) => number),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  const none = sweepInsight({ ...view, trials: [silent], bestSoFar: [] }, {});
  assert.deepEqual(
    [none.resource, none.trials, none.parameters, none.plane, none.gain],
    [0, [], [], null, null],
  );
});

test("INSIGHT-4: turning the goal round turns the values round and changes no importance", () => {
  const negated: SweepView = {
    ...swept,
    summary: { ...swept.summary, goal: "minimize" },
    trials: swept.trials.map((trial) => ({
      ...trial,
      value: trial.value === null ? null : -trial.value,
      rungs: trial.rungs.map(({ resource, value }) => ({ resource, value: -value })),
    })),
  };
  const [up, down] = [insight, sweepInsight(negated, { fasttext: sweptSpace })];
  const importances = (of: SweepInsight) =>
    of.parameters.map(({ axis, importance, varianceShare }) => [axis.name, importance, varianceShare]);
  assert.deepEqual(importances(up), importances(down));
  assert.deepEqual(
    up.trials.map(({ value }) => -value),
    down.trials.map(({ value }) => value),
  );
  assert.deepEqual(up.gain, down.gain);
});

test("INSIGHT-4: importances are shares of one, the parameter that decides is first, the idle one explains nothing", () => {
  const { parameters, plane } = insight;
  for (const measure of ["importance", "varianceShare"] as const) {
    const sum = parameters.reduce((total, parameter) => total + (parameter[measure] ?? 0), 0);
    assert.ok(Math.abs(sum - 1) < 1e-9, `${measure} sums to ${sum}`);
  }
  assert.equal(parameters[0]?.axis.name, "rate");
  const idle = parameters.find(({ axis }) => axis.name === "idle");
  assert.ok((idle?.importance ?? 1) < 0.05 && (idle?.varianceShare ?? 1) < 0.05);
  assert.deepEqual([plane?.x, plane?.y], ["rate", "optimiser"]);
});

test("INSIGHT-5: without a stated space the trials tell scale, wholeness and choices", () => {
  const known = parametersOf(comparableTrials(swept).trials, {});
  const kinds = Object.fromEntries(
    known.map(({ name, regimes }) => [name, regimes[0]?.domain.distribution ?? null]),
  );
  assert.deepEqual(kinds, {
    rate: "log-uniform",
    depth: "int",
    optimiser: "choice",
    momentum: "uniform",
    idle: "uniform",
  });
  assert.deepEqual(observedDomain([1, 1000]), { distribution: "log-int", min: 1, max: 1000 });
  assert.deepEqual(observedDomain([true, 3, "x"]), { distribution: "choice", values: [3, true, "x"] });
});

test("INSIGHT-5: several models make the model a parameter, and a name may have a domain in each", () => {
  const trials: ComparedTrial[] = Array.from({ length: 20 }, (_, at) => ({
    trial: `s1-${at + 1}`,
    number: at + 1,
    model: at % 2 === 0 ? "linear" : "textcnn",
    params: { width: at % 2 === 0 ? 1 + at : 100 + at },
    loss: at,
  }));
  const found = parametersOf(trials, {});
  assert.deepEqual(
    found.map(({ name, regimes }) => [name, regimes.length]),
    [
      ["model", 1],
      ["width", 2],
    ],
  );
});

test("INSIGHT-6: best so far ends where the sweep ended, with the value it had", () => {
  const view = swept;
  const points = bestSoFar(view);
  const last = points.at(-1);
  assert.equal(points.length, view.bestSoFar.length + 1);
  assert.deepEqual(last, {
    trials: 120,
    spent: view.summary.spent,
    elapsed: (view.summary.finishedAt ?? 0) - view.summary.submittedAt,
    value: view.summary.best?.value,
  });
  assert.deepEqual(bestSoFar({ ...view, bestSoFar: [] }), []);
});

function trialsWith(losses: readonly number[]): ComparedTrial[] {
  return losses.map((loss, at) => ({ trial: `s1-${at + 1}`, number: at + 1, model: "m", params: {}, loss }));
}

test("INSIGHT-7: the predicted chance of a better trial is right on average for a search that learns nothing", () => {
  // Whatever the distribution, the best of n + 10 independent trials is among the last 10 with a chance of 10/(n + 10).
  const count = 60;
  const runs = 300;
  for (const [name, of] of [
    ["uniform", (u: number) => u],
    ["exponential", (u: number) => -Math.log(1 - u)],
    ["heavy to the bad side", (u: number) => 1 / (1 - u)],
  ] as const) {
    let chance = 0;
    let [gain, truth] = [0, 0];
    for (let run = 0; run < runs; run++) {
      const stream = randomStream(run, name, 0);
      const losses = Array.from({ length: count }, () => of(stream.next()));
      const later = Array.from({ length: nextTrials }, () => of(stream.next()));
      const found = predictedGain(trialsWith(losses), 1);
      chance += (found?.chance ?? Number.NaN) / runs;
      gain += (found?.gain ?? Number.NaN) / runs;
      truth += Math.max(0, Math.min(...losses) - Math.min(...later)) / runs;
    }
    const right = nextTrials / (count + nextTrials);
    assert.ok(chance > 0.6 * right && chance < 1.8 * right, `${name}: ${chance} is far from ${right}`);
    assert.ok(gain > truth / 8 && gain < 8 * truth, `${name}: ${gain} is far from ${truth}`);
  }
});

test("INSIGHT-7: a sweep that stands still is told to stop, one that falls steadily is not", () => {
  const still = predictedGain(
    trialsWith(Array.from({ length: 40 }, (_, at) => (at < 20 ? 40 - at : 1))),
    500,
  );
  assert.deepEqual(still, { gain: 0, chance: 0, cost: 5_000, suggestStop: true });
  const falling = predictedGain(trialsWith(Array.from({ length: 40 }, (_, at) => 40 - at)), 500);
  assert.ok(falling !== null && falling.gain > 0.5 && !falling.suggestStop);
  assert.equal(
    predictedGain(trialsWith(Array.from({ length: gainTrialsLeast - 1 }, (_, at) => at)), 1),
    null,
  );
});

test("INSIGHT-7: the predicted gain follows the unit of the metric and nothing else of it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 20, maxLength: 60 }),
      fc.double({ min: 0.5, max: 100, noNaN: true }),
      (losses, unit) => {
        const one = predictedGain(trialsWith(losses), 1);
        const other = predictedGain(trialsWith(losses.map((loss) => unit * loss)), 1);
        assert.ok(one !== null && other !== null);
        assert.ok(one.gain >= 0 && one.chance >= 0 && one.chance <= 1);
        assert.ok(Math.abs(other.gain - unit * one.gain) <= 1e-6 * unit * (1 + one.gain));
      },
    ),
    { numRuns: 100 },
  );
});
