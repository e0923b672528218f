/** A result that outlives its bytes: which later sweeps it still answers, and which work is done anew. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { sweepSpec } from "../support/fold.ts";
import { StoreFold } from "../support/store-fold.ts";

const trials = 6;
const search = { method: "random", trials, seed: 1 } as const;
const register = { model: "best", alias: "champion" } as const;

/** A sweep of six trials with these values has ended, and all but its best are gone. */
function afterwards(values: readonly number[], change: Partial<SweepSpec> = {}): StoreFold {
  const fold = new StoreFold();
  fold.open("ada", 1_000_000);
  fold.join("a", 1);
  fold.must("retention-set", { checkpoints: 1 });
  run(fold, values, change);
  fold.restOfIt();
  return fold;
}

/** Returns the trials of the new sweep that were trained. */
function run(fold: StoreFold, values: readonly number[], change: Partial<SweepSpec> = {}): string[] {
  fold.must("sweep-run", { spec: sweepSpec({ search, ...change }) });
  const trained: string[] = [];
  for (let trial = fold.running()[0]; trial !== undefined; trial = fold.running()[0]) {
    trained.push(trial.trial);
    fold.complete(trial, values[trial.number - 1] ?? 0);
  }
  return trained;
}

const someValues = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: trials, maxLength: trials });

describe("GC-3: a result outlives its bytes", () => {
  test("where nobody wants the bytes it answers as before", () => {
    fc.assert(
      fc.property(someValues, (values) => {
        const fold = afterwards(values);
        assert.deepEqual(run(fold, values), []);
        assert.equal(fold.state.sweeps.get("s2")?.best?.value, Math.max(...values));
      }),
      { numRuns: 30 },
    );
  });

  test("a sweep that registers its best has the bytes of it, and trains no more than it must", () => {
    fc.assert(
      fc.property(someValues, fc.integer({ min: 1, max: trials }), (values, count) => {
        const fold = afterwards(values);
        const part = { ...search, trials: count };
        const trained = run(fold, values, { search: part, register });
        const model = fold.state.models.get("best");
        const version = model?.versions.at(-1);
        const best = values.slice(0, count).reduce((most, value) => Math.max(most, value));
        assert.equal(version?.metrics["accuracy"], best);
        assert.ok(fold.stored.has(version?.artifact ?? ""), "the version has its bytes");
        // Each of them was the best so far, and not one whose bytes had been kept.
        let most = -1;
        const records = values.slice(0, count).flatMap((value, index) => {
          const isBetter = value > most;
          most = Math.max(most, value);
          return isBetter ? [`s2-${index + 1}`] : [];
        });
        const kept = values.indexOf(Math.max(...values)) + 1;
        assert.deepEqual(
          trained,
          records.filter((trial) => trial !== `s2-${kept}`),
        );
      }),
      { numRuns: 60 },
    );
  });

  test("work that is done anew answers from then on", () => {
    const values = [3, 5, 9, 1, 1, 1];
    const fold = afterwards(values);
    assert.deepEqual(run(fold, values, { register }), ["s2-1", "s2-2"]);
    assert.deepEqual(run(fold, values, { register }), []);
  });

  test("a longer run goes on from a checkpoint that is there, and begins from nothing where it is gone", () => {
    const values = [1, 2, 3, 4, 5, 9];
    const fold = afterwards(values);
    fold.must("sweep-run", { spec: sweepSpec({ search, stopping: { policy: "none", max: 3 } }) });
    const from: (string | null)[] = [];
    for (let trial = fold.running()[0]; trial !== undefined; trial = fold.running()[0]) {
      from.push(trial.resumes);
      fold.complete(trial, 1);
    }
    assert.deepEqual(from, [null, null, null, null, null, "s1-6"]);
  });

  test("what cannot go on says so, and what to do", () => {
    const fold = afterwards([1, 2, 3, 4, 5, 6], {
      dataset: { name: "rows", digest: "d".repeat(64), bytes: 9, rows: { train: 1, validation: 1, test: 1 } },
    });
    fold.put("d".repeat(64));
    fold.must("sweep-remove", { sweep: "s1" });
    fold.pass(60 * 24 * 3_600_000);
    fold.restOfIt();
    assert.equal(fold.stored.size, 0);
    fold.must("sweep-restore", { sweep: "s1" });
    const answer = fold.command("sweep-extend", { sweep: "s1", trials: 2 });
    assert.ok(!answer.ok && answer.refusal.message.includes("run its file again"));
    const pinned = fold.command("artifact-pin", { digest: fold.trial("s1-1").checkpoint?.digest });
    assert.ok(!pinned.ok && pinned.refusal.message.includes("no longer kept"));
    // The same sweep sent again brings its data with it.
    const again = { dataset: fold.state.sweeps.get("s1")?.spec.dataset ?? null, register };
    fold.put("d".repeat(64));
    assert.ok(run(fold, [1, 2, 3, 4, 5, 6], again).length > 0);
    assert.ok(fold.command("sweep-extend", { sweep: "s2", trials: 2 }).ok);
  });
});
