/** ESTIMATE: what a sweep is said to cost beside what it costs, with scripts that start fast and slow, other data and other lengths. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { estimateSweep } from "../../coordinator/placement/estimate-sweep.ts";
import { activeAttempt, mustGet } from "../../coordinator/state/state.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { Fold, sweepSpec } from "../support/fold.ts";

const stoppings = [
  { policy: "none", max: 1 },
  { policy: "none", max: 6 },
  { policy: "asha", min: 1, max: 9, eta: 3 },
  { policy: "asha", min: 1, max: 27, eta: 3 },
  { policy: "hyperband", min: 1, max: 9, eta: 3 },
  { policy: "median", max: 6, interval: 1, minTrials: 3 },
  { policy: "patience", max: 8, interval: 1, patience: 2, minDelta: 0 },
] as const;

interface Work {
  readonly startMs: number;
  readonly epochMs: number;
}

function mesh(): Fold {
  const fold = new Fold();
  fold.open("ada", 10_000_000);
  fold.join("box", 1, { alpha: 1 });
  return fold;
}

function specOf(stopping: SweepSpec["stopping"], trials: number, seed: number): SweepSpec {
  return sweepSpec({ search: { method: "random", trials, seed }, stopping, trialSeed: seed });
}

/** Runs it to its end; what it cost. */
function runOut(fold: Fold, spec: SweepSpec, { epochMs, startMs }: Work): number {
  const answer = fold.must("sweep-run", { spec });
  assert.ok(answer !== null);
  const id = `s${fold.state.meta.nextSweep - 1}`;
  for (let trial = fold.running()[0]; trial !== undefined; trial = fold.running()[0]) {
    const attempt = activeAttempt(trial);
    assert.ok(attempt !== null);
    const lr = Number(trial.params["lr"]);
    const usedMs = startMs + (attempt.target - (attempt.from?.resource ?? 0)) * epochMs * (0.7 + 0.6 * lr);
    const begun = fold.at;
    for (let at = 5_000; at < usedMs; at += 5_000) {
      fold.at = begun + at;
      fold.heartbeat("box", at);
    }
    const value = lr * (1 - Math.exp(-attempt.target / 4)) + 0.001 * ((trial.number * 7) % 5);
    fold.finish(trial, value, usedMs, startMs);
  }
  const sweep = mustGet(fold.state.sweeps, id, "sweep");
  assert.equal(sweep.state, "done");
  return sweep.spent;
}

test("ESTIMATE-1: the cost lies between least and most, whatever the past was, with at most a few misses", () => {
  let inside = 0;
  let near = 0;
  let all = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...stoppings),
      fc.constantFrom(...stoppings),
      fc.integer({ min: 3, max: 24 }),
      fc.integer({ min: 6, max: 24 }),
      fc.constantFrom(0, 100, 1_000, 6_000),
      fc.constantFrom(50, 200, 1_000),
      fc.nat(99),
      (before, after, few, trials, startMs, epochMs, seed) => {
        const fold = mesh();
        const work = { startMs, epochMs };
        runOut(fold, specOf(before, few, seed), work);
        const spec = specOf(after, trials, seed + 100);
        const { expected, high, low } = estimateSweep(fold.state, "ada", spec);
        const cost = runOut(fold, spec, work);
        all++;
        if (cost >= low && cost <= high) inside++;
        if (expected / cost >= 0.5 && expected / cost <= 2) near++;
        assert.ok(low <= expected && expected <= high);
      },
    ),
    { numRuns: 120, seed: 7 },
  );
  assert.ok(inside / all >= 0.95, `${inside} of ${all} are inside`);
  assert.ok(near / all >= 0.8, `${near} of ${all} are within a factor of two`);
});

test("ESTIMATE-2: nothing is refused for a least that rests on probes, on other data, on another machine or on an attempt or two", () => {
  const broke = (fold: Fold) => fold.open("bob", 1);
  const spec = specOf({ policy: "none", max: 9 }, 20, 50);
  const isTaken = (fold: Fold, of: SweepSpec = spec) =>
    fold.command("sweep-run", { spec: of }, "bob", "requester").ok;
  const slow = { startMs: 3_000, epochMs: 3_000 };

  const probed = mesh();
  broke(probed);
  assert.ok(isTaken(probed));

  const one = mesh();
  broke(one);
  runOut(one, specOf({ policy: "none", max: 9 }, 2, 1), slow);
  assert.ok(isTaken(one));

  const known = mesh();
  broke(known);
  runOut(known, specOf({ policy: "none", max: 9 }, 6, 1), slow);
  assert.ok(!isTaken(known), "it is sure: six attempts alike");
  assert.ok(isTaken(known, { ...spec, codeVersion: "changed" }));
  const digest = "b".repeat(64);
  const dataset = {
    digest,
    bytes: 1,
    name: "more",
    rows: { train: 1_000, validation: 1, test: 1 },
  };
  assert.ok(isTaken(known, { ...spec, dataset: sweepSpec({ dataset }).dataset }));
});

test("ESTIMATE-1: what is on record is no part of it, of no model", () => {
  const fold = mesh();
  const spec = specOf({ policy: "asha", min: 1, max: 9, eta: 3 }, 9, 3);
  runOut(fold, spec, { startMs: 100, epochMs: 100 });
  const again = estimateSweep(fold.state, "ada", spec);
  assert.deepEqual([again.low, again.expected, again.high, again.onRecord], [0, 0, 0, 9]);
  assert.deepEqual(again.models[0]?.range, { low: 0, expected: 0, high: 0 });
});
