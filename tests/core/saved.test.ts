/** SAVED: what a sweep says that stopping saved, beside what the same sweep costs without it, with scripts that start fast and slow. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { activeAttempt, mustGet } from "../../coordinator/state/state.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { summaryOf } from "../../coordinator/view/sweep-answer.ts";
import { Fold, sweepSpec } from "../support/fold.ts";

interface Script {
  readonly startMs: number;
  readonly epochMs: (lr: number) => number;
}

/** Runs the sweep to its end, and gives what it cost and what it says it saved. */
function runWith(
  stopping: SweepSpec["stopping"],
  { epochMs, startMs }: Script,
  trials: number,
  seed: number,
) {
  const fold = new Fold();
  fold.open("ada", 10_000_000);
  fold.join("box", 1, { alpha: 1 });
  fold.must("sweep-run", {
    spec: sweepSpec({ search: { method: "random", trials, seed }, stopping }),
  });
  while (fold.running().length > 0) {
    const [trial] = fold.running();
    assert.ok(trial !== undefined);
    const attempt = activeAttempt(trial);
    assert.ok(attempt !== null);
    const lr = Number(trial.params["lr"]);
    const units = attempt.target - (attempt.from?.resource ?? 0);
    fold.at = attempt.at;
    const usedMs = startMs + units * epochMs(lr);
    for (let at = 5_000; at < usedMs; at += 5_000) {
      fold.at = attempt.at + at;
      fold.heartbeat("box", at);
    }
    fold.finish(trial, lr * attempt.target, usedMs, startMs);
  }
  const sweep = mustGet(fold.state.sweeps, "s1", "sweep");
  assert.equal(sweep.state, "done");
  return { spent: sweep.spent, saved: savedOf(fold), fold };
}

function savedOf(fold: Fold): number {
  const sweep = mustGet(fold.state.sweeps, "s1", "sweep");
  return summaryOf(fold.state, sweep, fold.settings).savedByStopping;
}

const max = 9;
const asha = { policy: "asha", min: 1, max, eta: 3 } as const;
const full = { policy: "none", max } as const;

test("SAVED-1, SAVED-2: where epochs cost the same, saved is what the sweep costs more without stopping", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 8_000 }),
      fc.integer({ min: 20, max: 2_000 }),
      fc.integer({ min: 3, max: 18 }),
      fc.nat(50),
      (startMs, epochMs, trials, seed) => {
        const script = { startMs, epochMs: () => epochMs };
        const stopped = runWith(asha, script, trials, seed);
        const whole = runWith(full, script, trials, seed);
        const more = Math.max(0, whole.spent - stopped.spent);
        // Each price is rounded up.
        assert.ok(Math.abs(stopped.saved - more) <= trials * 4, `${stopped.saved} is said, it is ${more}`);
        assert.equal(whole.saved, 0);
      },
    ),
    { numRuns: 60 },
  );
});

test("SAVED-1: where they do not, saved is near, and a slow start is never taken for epochs", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 8_000 }),
      fc.integer({ min: 20, max: 500 }),
      fc.integer({ min: 9, max: 18 }),
      fc.nat(50),
      (startMs, epochMs, trials, seed) => {
        const script = { startMs, epochMs: (lr: number) => Math.round(epochMs * (1 + 2 * lr)) };
        const stopped = runWith(asha, script, trials, seed);
        const whole = runWith(full, script, trials, seed);
        const rest = whole.spent - trials * startMs;
        const more = Math.max(0, whole.spent - stopped.spent);
        assert.ok(Math.abs(stopped.saved - more) <= rest / 2, `${stopped.saved} is said, it is ${more}`);
      },
    ),
    { numRuns: 60 },
  );
});

test("SAVED-1: nothing is said to be saved where no epoch after a first was measured", () => {
  const fold = new Fold();
  fold.open("ada", 10_000);
  fold.join("box", 1, { alpha: 1 });
  fold.must("sweep-run", { spec: sweepSpec({ stopping: { ...asha, target: 0.5 } }) });
  const [trial] = fold.running();
  assert.ok(trial !== undefined);
  fold.finish(trial, 0.9, 6_000, 5_000);
  assert.equal(fold.trial(trial.trial).state, "stopped");
  assert.equal(savedOf(fold), 0);
});
