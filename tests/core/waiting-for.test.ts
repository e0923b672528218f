/** What a sweep says that it waits for, as its owner reads it first: nothing while a slot that fits is free. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { decide, run } from "../../coordinator/core/decide.ts";
import { waitingFor } from "../../coordinator/placement/waiting-for.ts";
import { mustGet } from "../../coordinator/state/state.ts";
import { methodNames } from "../../protocol/sweep.ts";
import { Fold, sweepSpec } from "../support/fold.ts";

function waits(fold: Fold, sweep = "s1"): string | null {
  return waitingFor(fold.state, mustGet(fold.state.sweeps, sweep, "sweep"), fold.settings);
}

test("between a sweep's start and its first trial it waits for nobody while slots are free, with every method", () => {
  for (const method of methodNames) {
    if (method === "outside") continue;
    const fold = new Fold();
    fold.open("ada", 1_000);
    fold.join("box", 2);
    // As it is before the batch that places, or before the sampler has answered.
    const lr =
      method === "grid"
        ? { distribution: "choice" as const, values: [1, 2, 3] }
        : { distribution: "uniform" as const, min: 0, max: 1 };
    const search = { method, trials: 3, seed: 1 };
    const spec = sweepSpec({ search, models: [{ model: "alpha", space: { lr } }] });
    const sender = { role: "owner", who: "ada" } as const;
    const input = { kind: "command", key: "k", sender, name: "sweep-run", body: { spec } } as const;
    const answer = run(fold.state, decide(fold.state, input, fold.at, fold.settings), fold.at, []);
    assert.equal(answer?.ok, true);
    assert.equal(waits(fold), null, method);
  }
});

test("it says that agents are busy only where all that fit are", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), (slots, others) => {
      const fold = new Fold();
      fold.open("ada", 1_000_000);
      fold.open("bob", 1_000_000);
      fold.join("box", slots);
      fold.join("other", others, { beta: 1 });
      const many = { method: "random", trials: 20, seed: 1 } as const;
      fold.must("sweep-run", { spec: sweepSpec({ search: many }) }, "ada");
      fold.must("sweep-run", { spec: sweepSpec({ search: many, trialSeed: 2 }) }, "bob");
      // All slots that fit are ada's; those of the other machine are free and do not fit.
      assert.equal(
        fold.running().every(({ sweep }) => sweep === "s1"),
        true,
      );
      assert.equal(waits(fold, "s2"), "every agent that fits is busy");
      assert.equal(waits(fold, "s1"), null);
    }),
  );
});
