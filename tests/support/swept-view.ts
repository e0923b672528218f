/**
 * A finished sweep as a view, from a formula and no chance: a hundred and twenty trials over two numbers that matter, one on a log scale,
 * a choice, a parameter that exists for one choice only, and one that changes nothing. Judged after 1 and 3 epochs.
 */
import type { Space } from "../../protocol/space.ts";
import type { SweepView, TrialView } from "../../protocol/view.ts";
import { fixtureNow, sweepFixture, trialFixture } from "./view-fixture.ts";

export const sweptSpace: Space = {
  rate: { distribution: "log-uniform", min: 1e-4, max: 1 },
  depth: { distribution: "int", min: 1, max: 12 },
  optimiser: { distribution: "choice", values: ["sgd", "adam"] },
  momentum: { distribution: "uniform", min: 0, max: 1, when: { optimiser: "sgd" } },
  idle: { distribution: "uniform", min: -1, max: 1 },
};

const roots = [2, 3, 5, 7, 11];

/** Evenly spread, column by column; the same on every machine. */
function spread(number: number, column: number): number {
  return (number * Math.sqrt(roots[column] ?? 13)) % 1;
}

function sweptTrial(sweep: string, number: number): TrialView {
  const power = -4 + 4 * spread(number, 0);
  const depth = 1 + Math.floor(12 * spread(number, 1));
  const optimiser = spread(number, 2) < 0.5 ? "sgd" : "adam";
  const momentum = spread(number, 3);
  const params = {
    rate: 10 ** power,
    depth,
    optimiser,
    ...(optimiser === "sgd" ? { momentum } : {}),
    idle: 2 * spread(number, 4) - 1,
  };
  const loss =
    0.06 * (power + 2) ** 2 +
    0.004 * Math.abs(depth - 5) +
    (optimiser === "sgd" ? 0.03 + 0.05 * (momentum - 0.9) ** 2 : 0);
  const value = 0.93 - loss;
  const rungs = [
    { resource: 1, value: value - 0.05 },
    { resource: 3, value },
  ];
  const stopped = number % 2 === 0;
  return trialFixture(sweep, number, {
    params,
    value: stopped ? value - 0.05 : value,
    state: stopped ? "stopped" : "completed",
    resource: stopped ? 1 : 3,
    target: stopped ? 1 : 3,
    rungs: stopped ? rungs.slice(0, 1) : rungs,
    spent: stopped ? 1_000 : 3_000,
  });
}

export function sweptView(count = 120): SweepView {
  const sweep = "s1";
  const trials = Array.from({ length: count }, (_, at) => sweptTrial(sweep, at + 1));
  const improvements: { trials: number; spent: number; at: number; value: number }[] = [];
  let spent = 0;
  for (const [index, trial] of trials.entries()) {
    spent += trial.spent;
    const value = trial.value ?? 0;
    if (value <= (improvements.at(-1)?.value ?? -Infinity)) continue;
    improvements.push({ trials: index + 1, spent, at: fixtureNow + 5_000 * (index + 1), value });
  }
  const best = trials.toSorted((a, b) => (b.value ?? 0) - (a.value ?? 0))[0];
  const finishedAt = fixtureNow + 5_000 * count;
  return {
    summary: sweepFixture(sweep, {
      state: "done",
      total: count,
      counts: {
        proposed: count,
        queued: 0,
        running: 0,
        paused: 0,
        completed: Math.ceil(count / 2),
        stopped: Math.floor(count / 2),
        failed: 0,
        cancelled: 0,
        reused: 4,
      },
      best:
        best === undefined
          ? null
          : { trial: best.trial, model: best.model, value: best.value ?? 0, resource: best.resource },
      spent,
      pending: 0,
      submittedAt: fixtureNow,
      finishedAt,
    }),
    search: { method: "random", trials: count, seed: 7 },
    stopping: { policy: "asha", min: 1, max: 3, eta: 3 },
    dataset: null,
    models: ["fasttext"],
    failures: [],
    spaces: {},
    alsoObjectives: [],
    note: null,
    trials,
    bestSoFar: improvements,
  };
}
