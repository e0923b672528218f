import assert from "node:assert/strict";
import { test } from "node:test";
import { apply } from "../../coordinator/core/apply.ts";
import { run } from "../../coordinator/core/decide.ts";
import { judge } from "../../coordinator/core/judge.ts";
import { scoresOf } from "../../coordinator/state/objective.ts";
import { emptyState, mustGet, type Sweep, type Trial } from "../../coordinator/state/state.ts";
import { bracketTurns, hyperbandBrackets } from "../../search/stopping/bracket.ts";
import { Fold, sweepSpec } from "../support/fold.ts";

function started(change: Parameters<typeof sweepSpec>[0], slots = 2): Fold {
  const fold = new Fold();
  fold.open("ada", 100_000);
  fold.join("box", slots);
  fold.must("sweep-run", { spec: sweepSpec(change) });
  return fold;
}

const sweepIn = (fold: Fold, id = "s1"): Sweep => mustGet(fold.state.sweeps, id, "sweep");
const reached = (trial: Trial) => trial.rungs.map(({ resource }) => resource);
const trials = (count: number) => ({ method: "random", trials: count, seed: 3 }) as const;

/** Finishes whatever runs, the longest running first, until nothing does. */
function runAll(fold: Fold, valueOf: (trial: Trial, target: number) => number): void {
  for (let guard = 0; guard < 3_000; guard++) {
    const [trial] = fold.running();
    if (trial === undefined) return;
    fold.finish(trial, valueOf(trial, trial.target));
  }
  assert.fail("the sweep does not end");
}

function finishOne(fold: Fold, number: number, value: number): void {
  fold.finish(fold.trial(`s1-${number}`), value);
}

function whyOf(fold: Fold, trial: string): string {
  for (const event of fold.of("TrialFinished")) {
    if (event.kind === "TrialFinished" && event.trial === trial) return event.why;
  }
  return "";
}

test("STOP-3: median ends a trial for good, with the rule, the values and how many it was compared with", () => {
  const stopping = { policy: "median", max: 4, interval: 2, minTrials: 3 } as const;
  const fold = started({ search: trials(4), stopping }, 4);
  [0.8, 0.9, 0.7].forEach((value, index) => finishOne(fold, index + 1, value));
  finishOne(fold, 4, 0.71);
  assert.equal(fold.trial("s1-4").state, "stopped");
  assert.equal(whyOf(fold, "s1-4"), "median: 0.71 by epoch 2 is below the median 0.8 of 3 trials");
  assert.ok(sweepIn(fold).savedByStopping > 0);
  runAll(fold, () => 0.95);
  assert.deepEqual(reached(fold.trial("s1-1")), [2, 4]);
  assert.deepEqual(reached(fold.trial("s1-4")), [2]);
  assert.equal(fold.of("TrialPaused").length, 0);
  assert.equal(sweepIn(fold).state, "done");
});

test("STOP-4: where patience ends trials, the better value is the best, however long it trained", () => {
  const stopping = { policy: "patience", max: 9, interval: 1, patience: 1 } as const;
  const fold = started({ search: trials(2), stopping });
  runAll(fold, (trial, target) => (trial.number === 1 ? 0.9 : 0.05 * target));
  assert.equal(fold.trial("s1-1").state, "stopped");
  assert.match(whyOf(fold, "s1-1"), /^patience: no better the last time it was judged, up to epoch 2$/);
  assert.equal(fold.trial("s1-2").state, "completed");
  assert.equal(sweepIn(fold).best?.trial, "s1-1");
});

test("STOP-2: every trial of a hyperband sweep is judged at its bracket's rungs, which its number says", () => {
  const fold = started({ search: trials(22), stopping: { policy: "hyperband", max: 9 } }, 5);
  runAll(fold, (trial, target) => ((trial.number * 7) % 22) / 100 + target / 1_000);
  const brackets = hyperbandBrackets(1, 9, 3);
  assert.deepEqual(
    brackets.map((bracket) => bracket.trials),
    [9, 5, 3],
  );
  const turn = bracketTurns(brackets);
  const completed = brackets.map(() => 0);
  for (let number = 1; number <= 22; number++) {
    const trial = fold.trial(`s1-${number}`);
    const rungs = brackets[turn(number)]?.rungs ?? [];
    // The proposal may send it to a rung of another bracket first; from there it goes on without a verdict.
    const own = reached(trial).filter((resource) => rungs.includes(resource));
    assert.deepEqual(own, rungs.slice(0, own.length));
    assert.ok(own.length > 0);
    if (trial.state === "completed") completed[turn(number)] = (completed[turn(number)] ?? 0) + 1;
  }
  const sizes = brackets.map(
    (_, bracket) =>
      Array.from({ length: 22 }, (__, index) => turn(index + 1)).filter((own) => own === bracket).length,
  );
  assert.equal(completed[2], sizes[2]);
  assert.ok((completed[0] ?? 0) >= 1 && (completed[0] ?? 0) < (sizes[0] ?? 0) / 2);
  assert.equal(sweepIn(fold).state, "done");
});

test("STOP-8: a value that reaches the target ends the sweep: it is the best, what waits and runs is cancelled", () => {
  const stopping = { policy: "asha", min: 1, max: 9, eta: 3, target: 0.9 } as const;
  const fold = started({ search: trials(50), stopping }, 3);
  finishOne(fold, 1, 0.5);
  finishOne(fold, 2, 0.6);
  finishOne(fold, 3, 0.92);
  const sweep = sweepIn(fold);
  assert.deepEqual(sweep.best, { trial: "s1-3", model: "alpha", value: 0.92, resource: 1 });
  assert.equal(fold.trial("s1-3").state, "stopped");
  assert.equal(whyOf(fold, "s1-3"), "target: 0.92 at epoch 1 reaches 0.9");
  assert.equal(fold.trial("s1-1").state, "cancelled");
  assert.equal(whyOf(fold, "s1-1"), "s1-3 reached the target 0.9 with 0.92");
  assert.equal(sweep.state, "stopping");
  const before = sweep.proposed;
  for (const trial of fold.running()) {
    const fence = trial.attempts.at(-1)?.fence ?? 0;
    assert.notEqual(trial.attempts.at(-1)?.cancel, null);
    const nothing = { resource: 0, digest: null, bytes: 0, metrics: {}, usedMs: 10 };
    fold.report("box", { kind: "stopped", fence, why: "cancelled", ...nothing });
  }
  assert.equal(sweep.proposed, before);
  assert.equal(sweep.counts.queued + sweep.counts.running + sweep.counts.paused, 0);
  assert.notEqual(sweep.finishedAt, null);
});

test("STOP-8: at full length too, and where less is better", () => {
  const objective = { metric: "accuracy", goal: "minimize" } as const;
  const stopping = { policy: "none", max: 2, target: 0.1 } as const;
  const fold = started({ search: trials(9), stopping, objective }, 1);
  finishOne(fold, 1, 0.2);
  assert.equal(sweepIn(fold).state, "running");
  finishOne(fold, 2, 0.1);
  assert.equal(fold.trial("s1-2").state, "completed");
  assert.notEqual(sweepIn(fold).finishedAt, null);
  assert.ok(sweepIn(fold).proposed < 9);
});

test("STOP-8: the same sweep again is at its target from the record, for no tokens", () => {
  const spec = sweepSpec({ search: trials(9), stopping: { policy: "none", max: 1, target: 0.9 } });
  const fold = new Fold();
  fold.open("ada", 1_000);
  fold.join("box", 1);
  fold.must("sweep-run", { spec });
  finishOne(fold, 1, 0.3);
  finishOne(fold, 2, 0.95);
  for (const trial of fold.running()) fold.finish(trial, 0.1);
  fold.must("sweep-run", { spec });
  const again = sweepIn(fold, "s2");
  assert.equal(again.spent, 0);
  assert.equal(again.best?.value, 0.95);
  assert.notEqual(again.finishedAt, null);
});

test("STOP-5: a rung's further values are oriented each by its own goal; without them the first decides", () => {
  const alsoObjectives = [{ metric: "seconds", goal: "minimize" } as const];
  const spec = sweepSpec({ alsoObjectives });
  assert.deepEqual(scoresOf(spec, { value: 0.5, also: [3] }), [0.5, -3]);
  assert.deepEqual(scoresOf(spec, { value: 0.5 }), [0.5]);
});

test("STOP-5: with two objectives a trial on the front goes on, and a dominated one waits though its first value is better than many", () => {
  const fold = started(
    {
      search: trials(6),
      stopping: { policy: "asha", min: 1, max: 4, eta: 2 },
      alsoObjectives: [{ metric: "seconds", goal: "minimize" }],
    },
    6,
  );
  // Accuracy and seconds; 3 is dominated by 1 and 2, 4 by nobody. Two of four go on: the ends of the front.
  const results = [
    [0.9, 10],
    [0.8, 5],
    [0.7, 20],
    [0.2, 1],
  ] as const;
  results.forEach(([value, seconds], index) => {
    const trial = fold.trial(`s1-${index + 1}`);
    const fence = trial.attempts.at(-1)?.fence ?? 0;
    apply(fold.state, { kind: "RungReached", fence, resource: 1, value, also: [seconds] }, fold.at);
    apply(fold.state, { kind: "AttemptEnded", fence, ending: "finished", posted: 1, tags: [1, 1] }, fold.at);
    run(fold.state, judge(fold.state, trial), fold.at, []);
  });
  const targets = [1, 2, 3, 4].map((number) => fold.trial(`s1-${number}`).target);
  assert.deepEqual(targets, [2, 1, 1, 2]);
});

test("REPLAY-1: with every policy the state replayed from the journal makes the same decisions", () => {
  for (const stopping of [
    { policy: "hyperband", max: 9 },
    { policy: "percentile", max: 9, percentile: 50, interval: 3, minTrials: 2 },
    { policy: "patience", max: 9, interval: 3, patience: 1 },
    { policy: "median", max: 9, minTrials: 2, target: 0.45 },
  ] as const) {
    const fold = started({ search: trials(12), stopping }, 3);
    runAll(fold, (trial, target) => ((trial.number * 7) % 12) / 25 + target / 1_000);
    const replayed = emptyState();
    for (const { at, event } of fold.events) apply(replayed, structuredClone(event), at);
    const outcomes = (state: typeof replayed) =>
      [...state.trials.values()].map(({ trial, state: now, rungs }) => ({ trial, now, rungs }));
    assert.deepEqual(outcomes(replayed), outcomes(fold.state));
    assert.notEqual(sweepIn(fold).finishedAt, null);
  }
});
