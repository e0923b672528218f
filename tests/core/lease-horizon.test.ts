/** LEASE-11 and 12: a budget that is enough for the work fills the slots, whatever machines, prices and lengths; and never more is reserved. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { activeAttempt, mustGet } from "../../coordinator/state/state.ts";
import { Fold, sweepSpec } from "../support/fold.ts";

const shape = fc.record({
  slots: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
  rate: fc.double({ min: 0.3, max: 4, noNaN: true }),
  trials: fc.integer({ min: 2, max: 12 }),
  /** Work of one trial, and how much of the whole the budget is. */
  workMs: fc.integer({ min: 200, max: 20_000 }),
  plenty: fc.double({ min: 1.3, max: 8, noNaN: true }),
  ofSweep: fc.boolean(),
});

test("LEASE-11: a budget that is enough for the work fills every slot at once", () => {
  fc.assert(
    fc.property(shape, ({ ofSweep, plenty, rate, slots, trials, workMs }) => {
      const fold = new Fold();
      const places = slots.reduce((sum, count) => sum + count, 0);
      const least = Math.ceil(fold.settings.horizonMinMs * rate) * Math.min(places, trials);
      const budget = Math.ceil(Math.max(plenty * trials * workMs * rate, least));
      fold.open("ada", ofSweep ? 1_000_000 : Math.ceil(budget / 1000));
      slots.forEach((count, index) => fold.join(`box-${index}`, count, { alpha: rate }));
      const cap = ofSweep ? Math.ceil(budget / 1000) * 1000 : null;
      fold.must("sweep-run", {
        spec: sweepSpec({ search: { method: "random", trials, seed: 1 }, cap, beyondBudget: true }),
      });
      assert.equal(fold.running().length, Math.min(places, trials));
    }),
  );
});

test("LEASE-11: such a sweep comes to its end within its budget, its leases extended as its trials go on", () => {
  fc.assert(
    fc.property(shape, ({ plenty, rate, slots, trials, workMs }) => {
      const fold = new Fold();
      const { heartbeatMs } = fold.settings;
      const budget = Math.ceil((plenty * trials * workMs * rate) / 1000 + 7 * rate * trials);
      fold.open("ada", budget);
      slots.forEach((count, index) => fold.join(`box-${index}`, count, { alpha: rate }));
      fold.must("sweep-run", {
        spec: sweepSpec({ search: { method: "random", trials, seed: 1 }, beyondBudget: true }),
      });
      for (let beats = 0; beats < 500 && fold.running().length > 0; beats++) {
        fold.at += heartbeatMs;
        for (const trial of fold.running()) {
          const attempt = activeAttempt(trial);
          assert.ok(attempt !== null);
          const used = fold.at - attempt.at;
          assert.ok(attempt.until > fold.at - heartbeatMs, "it is paid for up to the last heartbeat");
          if (used >= workMs && workMs <= attempt.until - attempt.at) fold.finish(trial, 0.5, workMs);
          else fold.heartbeatOf(trial, used);
        }
        fold.do({ kind: "expire" });
      }
      const sweep = mustGet(fold.state.sweeps, "s1", "sweep");
      assert.equal(sweep.state, "done");
      assert.equal(sweep.counts.completed, trials);
      assert.ok(
        [...fold.state.trials.values()].every(({ attempts }) => attempts.length === 1),
        "none was cut short",
      );
    }),
    { numRuns: 60 },
  );
});

test("LEASE-12: what is left of a cap is spent on trials that need less of it, and never more than the cap", () => {
  const less = fc.record({
    rate: fc.double({ min: 5, max: 40, noNaN: true }),
    workMs: fc.integer({ min: 30, max: 120 }),
    trials: fc.integer({ min: 3, max: 12 }),
  });
  fc.assert(
    fc.property(less, ({ rate, trials, workMs }) => {
      const fold = new Fold();
      fold.open("ada", 1_000_000);
      fold.join("box", 1, { alpha: rate });
      // Of the last trials none has what the least horizon of an unknown one costs.
      const least = fold.settings.horizonMinMs * rate;
      const cap = Math.ceil((least + (trials * workMs * rate) / 3) / 1000) * 1000;
      fold.must("sweep-run", {
        spec: sweepSpec({ search: { method: "random", trials, seed: 1 }, cap, beyondBudget: true }),
      });
      for (let ended = 0; ended < trials; ended++) {
        const [trial] = fold.running();
        assert.ok(trial !== undefined, `${ended} of ${trials} ran`);
        const attempt = activeAttempt(trial);
        assert.ok(attempt !== null && attempt.until - attempt.at >= workMs);
        fold.at += workMs;
        fold.finish(trial, 0.5, workMs);
        const sweep = mustGet(fold.state.sweeps, "s1", "sweep");
        assert.ok(sweep.spent + sweep.pending <= cap);
      }
      assert.equal(mustGet(fold.state.sweeps, "s1", "sweep").counts.completed, trials);
    }),
  );
});
