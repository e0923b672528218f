/** What the coordinator answers about a sweep's lessons: from its state, bounded, and plain where there is nothing to tell yet. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { axesMost, linesMost, slicePointsMost } from "../../coordinator/view/insight-axis.ts";
import { insightTrials, seenTrialsMost } from "../../coordinator/view/insight-trials.ts";
import { importanceTrialsLeast, insightOf, insightViewOf } from "../../coordinator/view/insight-answer.ts";
import { activeAttempt, mustGet, type Trial } from "../../coordinator/state/state.ts";
import { insightView, type InsightView } from "../../protocol/insight-view.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { digestOfNumber, Fold, sweepSpec } from "../support/fold.ts";
import { sweptSpace, sweptView } from "../support/swept-view.ts";

const models: SweepSpec["models"] = [
  {
    model: "alpha",
    where: [],
    space: {
      idle: { distribution: "uniform", min: 0, max: 1 },
      rate: { distribution: "log-uniform", min: 0.001, max: 1 },
      kind: { distribution: "choice", values: ["a", "b"] },
      fixed: { distribution: "constant", value: 3 },
    },
  },
];

function rateOf({ params }: Trial): number {
  return Math.log10(Number(params["rate"]));
}

/** The nearer the rate is to 0.03, the better; nothing else matters. */
function accuracyOf(trial: Trial): number {
  return 0.9 - 0.1 * (rateOf(trial) + 1.5) ** 2;
}

/** A sweep of so many trials run to its end, and what it has taught. */
function taught(
  trials: number,
  change: Partial<SweepSpec> = {},
  metricsOf: (trial: Trial) => Record<string, number> = (trial) => ({ accuracy: accuracyOf(trial) }),
): { readonly fold: Fold; readonly view: InsightView } {
  const fold = new Fold();
  fold.open("ada", 1_000_000);
  fold.join("desk", 40);
  fold.must("sweep-run", {
    spec: sweepSpec({ models, search: { method: "random", trials, seed: 3 }, ...change }),
  });
  for (let left = fold.running(); left.length > 0; left = fold.running()) {
    for (const trial of left) {
      const attempt = activeAttempt(trial);
      assert.ok(attempt !== null);
      fold.report(attempt.agent, {
        kind: "finished",
        fence: attempt.fence,
        resource: attempt.target,
        digest: digestOfNumber(attempt.fence),
        bytes: 10,
        metrics: metricsOf(trial),
        usedMs: 1_000,
      });
    }
  }
  return { fold, view: ask(fold) };
}

function ask(fold: Fold): InsightView {
  const view = insightViewOf(fold.state, mustGet(fold.state.sweeps, "s1", "sweep"), fold.settings);
  return insightView.parse(structuredClone(view));
}

const whole = taught(80);

test("INSIGHT-8: the parameter that decides has the highest share, the shares sum to one, a constant is left out", () => {
  const { importance, sentence } = whole.view;
  assert.equal(importance[0]?.parameter, "rate");
  assert.ok((importance[0]?.share ?? 0) > 0.8, `its share is ${importance[0]?.share}`);
  assert.ok(Math.abs(importance.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9);
  assert.deepEqual(
    importance.map(({ share }) => share),
    importance.map(({ share }) => share).toSorted((a, b) => b - a),
  );
  assert.ok(importance.every(({ parameter }) => parameter !== "fixed"));
  assert.equal(sentence, "80 trials judged at epoch 1 are compared.");
});

test("INSIGHT-8: lines are the best trials, the best first, each where it stands on every axis", () => {
  const { fold, view } = whole;
  const best = [...fold.state.trials.values()].toSorted((a, b) => accuracyOf(b) - accuracyOf(a));
  assert.deepEqual(
    view.lines.map(({ trial }) => trial),
    best.slice(0, linesMost).map(({ trial }) => trial),
  );
  const axes = view.slices.map(({ parameter }) => parameter);
  for (const { at, score, trial } of view.lines) {
    const of = fold.trial(trial);
    assert.equal(at.length, axes.length);
    assert.equal(score, of.value);
    const rate = at[axes.indexOf("rate")] ?? Number.NaN;
    assert.ok(Math.abs(rate - (rateOf(of) + 3) / 3) < 1e-9, "on its log scale");
    assert.equal(at[axes.indexOf("kind")], of.params["kind"] === "a" ? 0 : 1);
  }
});

test("INSIGHT-8: where a parameter is inactive a line has a gap and its slice no point", () => {
  const view = insightOf(sweptView(), { fasttext: sweptSpace });
  const momentum = view.slices.findIndex(({ parameter }) => parameter === "momentum");
  const adam = sweptView().trials.filter(({ params }) => params["optimiser"] === "adam");
  const gaps = view.lines.filter(({ at }) => at[momentum] === null).map(({ trial }) => trial);
  assert.ok(gaps.length > 0 && gaps.length < view.lines.length);
  assert.ok(gaps.every((trial) => adam.some((each) => each.trial === trial)));
  assert.ok((view.slices[momentum]?.points.length ?? 0) < (view.slices[0]?.points.length ?? 0));
});

test("INSIGHT-9: a sweep without results says so, and so does one with too few for importance", () => {
  const fold = new Fold();
  fold.open("ada", 1_000);
  fold.must("sweep-run", { spec: sweepSpec({ models }) });
  const waiting = ask(fold);
  assert.equal(waiting.sentence, "No trial has a result yet: 1 proposed.");
  assert.deepEqual(
    [waiting.importance, waiting.bestSoFar, waiting.slices, waiting.lines, waiting.gain, waiting.front],
    [[], [], [], [], null, null],
  );
  assert.match(waiting.gainSentence, /^Too few trials/);
  const few = taught(importanceTrialsLeast - 1).view;
  assert.match(few.sentence, /^9 trials judged at epoch 1 are compared; it takes 10 to say which/);
  assert.deepEqual(few.importance, []);
  assert.equal(few.lines.length, importanceTrialsLeast - 1);
  assert.notDeepEqual(taught(importanceTrialsLeast).view.importance, []);
});

test("INSIGHT-9: equal results say of no parameter that it matters", () => {
  const { importance, sentence } = taught(20, {}, () => ({ accuracy: 0.5 })).view;
  assert.deepEqual(importance, []);
  assert.match(sentence, /their results do not say which parameters matter/);
});

test("INSIGHT-10: with several objectives the front is every trial that no other beats in all of them", () => {
  const alsoObjectives = [{ metric: "seconds", goal: "minimize" }] as const;
  const metricsOf = (trial: Trial) => ({ accuracy: accuracyOf(trial), seconds: 5 + 2 * rateOf(trial) });
  const { fold, view } = taught(60, { alsoObjectives: [...alsoObjectives] }, metricsOf);
  const all = [...fold.state.trials.values()].map((trial) => ({ trial: trial.trial, ...metricsOf(trial) }));
  const unbeaten = all.filter(
    (one) =>
      !all.some(
        (other) =>
          other.accuracy >= one.accuracy &&
          other.seconds <= one.seconds &&
          (other.accuracy > one.accuracy || other.seconds < one.seconds),
      ),
  );
  assert.ok(unbeaten.length > 2 && unbeaten.length < 60);
  assert.deepEqual(
    view.front?.trials,
    unbeaten
      .toSorted((a, b) => b.accuracy - a.accuracy)
      .map(({ accuracy, seconds, trial }) => ({ trial, values: [accuracy, seconds] })),
  );
  assert.equal(view.front?.count, unbeaten.length);
  assert.deepEqual(
    view.front?.objectives.map(({ metric }) => metric),
    ["accuracy", "seconds"],
  );
  assert.equal(whole.view.front, null);
});

test("INSIGHT-11: of a large sweep the best and the newest are seen, and importance rests on a fair sample", () => {
  const { fold } = whole;
  const sweep = mustGet(fold.state.sweeps, "s1", "sweep");
  const one = fold.trial("s1-1");
  const scoreOf = (number: number) => (number * Math.SQRT2) % 1;
  const count = 3 * seenTrialsMost;
  const all = Array.from({ length: count }, (_, at) => ({
    ...one,
    trial: `s1-${at + 1}`,
    number: at + 1,
    rungs: [{ resource: 1, value: scoreOf(at + 1) }],
  }));
  const unjudged = { ...one, number: count + 1, rungs: [], value: null };
  const { judged, sample, seen } = insightTrials(sweep, [...all, unjudged]);
  assert.equal(judged, count);
  assert.equal(seen.length, seenTrialsMost);
  const numbers = new Set(seen.map(({ number }) => number));
  const best = all.toSorted((a, b) => scoreOf(b.number) - scoreOf(a.number)).slice(0, seenTrialsMost / 2);
  assert.ok(best.every(({ number }) => numbers.has(number)));
  assert.ok(all.slice(-seenTrialsMost / 2).every(({ number }) => numbers.has(number)));
  const mean = (of: readonly { readonly number: number }[]) =>
    of.reduce((sum, { number }) => sum + scoreOf(number), 0) / of.length;
  assert.equal(sample.length, seenTrialsMost);
  assert.ok(Math.abs(mean(sample) - 0.5) < 0.02, "the sample is as good as the whole");
  assert.ok(mean(seen) > 0.6, "what is seen is better");
});

test("INSIGHT-11: trials that never got to the compared epoch are not among those seen", () => {
  const sweep = mustGet(whole.fold.state.sweeps, "s1", "sweep");
  const one = whole.fold.trial("s1-1");
  const all = Array.from({ length: 100 }, (_, at) => ({
    ...one,
    number: at + 1,
    rungs: [1, 3, 9].slice(0, at < 10 ? 3 : at < 50 ? 2 : 1).map((resource) => ({ resource, value: at })),
  }));
  const { seen } = insightTrials(sweep, all);
  assert.deepEqual(
    seen.map(({ number }) => number),
    Array.from({ length: 50 }, (_, at) => at + 1),
  );
});

test("INSIGHT-11: axes, points of a slice, lines and the points of the curve are bounded", () => {
  const space = Object.fromEntries(
    Array.from({ length: 15 }, (_, at) => [`p${at}`, { distribution: "uniform", min: 0, max: 1 } as const]),
  );
  const { view } = taught(80, {
    models: [{ model: "alpha", where: [], space: { ...models[0]?.space, ...space } }],
  });
  assert.equal(view.slices.length, axesMost);
  assert.ok(view.slices.every(({ points }) => points.length === slicePointsMost));
  assert.equal(view.lines.length, linesMost);
  const swept = sweptView();
  const many = Array.from({ length: 1_000 }, (_, at) => ({
    trials: at + 1,
    spent: at,
    at: swept.summary.submittedAt + at,
    value: at,
  }));
  const { bestSoFar } = insightOf({ ...swept, bestSoFar: many }, {});
  assert.ok(bestSoFar.length <= 301);
  assert.equal(bestSoFar.at(-1)?.value, 999);
});
