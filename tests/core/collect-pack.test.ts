/** Packs of small checkpoints: one goes as a whole, when nothing refers to any digest in it, and stays as long as something does. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { packId } from "../../coordinator/state/pack-id.ts";
import { activeAttempt } from "../../coordinator/state/state.ts";
import { digestOfNumber, Fold, sweepSpec } from "../support/fold.ts";

const trials = 6;
const search = { method: "random", trials, seed: 1 } as const;

/** Trial by trial, the pack that its checkpoint came in with; its value is its number. Only the best is kept. */
function packed(places: readonly number[], extra = {}): Fold {
  const fold = new Fold();
  fold.open("ada", 1_000_000);
  fold.join("a", 1);
  fold.must("retention-set", { checkpoints: 1, graceMs: 0 });
  finishAll(fold, places, extra);
  return fold;
}

function finishAll(fold: Fold, places: readonly number[], extra = {}): void {
  fold.must("sweep-run", { spec: sweepSpec({ search, ...extra }) });
  for (let trial = fold.running()[0]; trial !== undefined; trial = fold.running()[0]) {
    const attempt = activeAttempt(trial);
    assert.ok(attempt !== null);
    fold.at += 1_000;
    const digest = digestOfNumber(trial.number);
    const report = {
      ...({ kind: "finished", fence: attempt.fence, resource: attempt.target, digest } as const),
      ...{ bytes: 10, metrics: { accuracy: trial.number / 10 }, usedMs: 900 },
    };
    const pack = places[trial.number - 1] ?? 0;
    const packs = new Map([[digest, pack]]);
    fold.do({ kind: "report", agent: attempt.agent, report, packs });
  }
}

/** Every pack is told to be there, whatever is in it. */
function look(fold: Fold, packs: readonly number[], spared: readonly string[] = []): void {
  const found = packs.map((pack) => ({ digest: packId(pack), bytes: 100 }));
  const collection = { isLook: true, mayCollect: true, before: 1_000, spared: new Set(spared) };
  // Marked by one look, collected by the next.
  for (let round = 0; round < 2; round++) fold.do({ kind: "collect", collection: { ...collection, found } });
  for (const mark of fold.state.openMarks) fold.do({ kind: "removed", mark });
}

describe("GC-6: packs", () => {
  const someplaces = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: trials, maxLength: trials });

  test("one goes when none of its digests is referred to, with all of them, and no other does", () => {
    fc.assert(
      fc.property(someplaces, (places) => {
        const fold = packed(places);
        look(fold, [1, 2, 3, 4]);
        const best = places[trials - 1];
        assert.deepEqual([...fold.state.packs.keys()], [best]);
        for (let number = 1; number <= trials; number++) {
          const digest = digestOfNumber(number);
          assert.equal(fold.state.gone.has(digest), places[number - 1] !== best, `trial ${number}`);
          assert.equal(fold.state.packed.has(digest), places[number - 1] === best);
        }
        assert.ok(
          [...fold.state.gone.keys()].every((id) => !id.startsWith("pack/")),
          "its name is forgotten",
        );
      }),
      { numRuns: 40 },
    );
  });

  test("one of which a report speaks just now stays", () => {
    const fold = packed([1, 1, 2, 2, 2, 2]);
    look(fold, [1, 2], [digestOfNumber(2)]);
    assert.deepEqual([...fold.state.packs.keys()], [1, 2]);
  });

  test("a pack that no event came to speak of goes and leaves nothing behind", () => {
    const fold = packed([1, 1, 1, 1, 1, 1]);
    look(fold, [1, 99]);
    assert.equal(fold.state.marks.size, 0);
    assert.equal(fold.state.gone.size, 0);
  });

  test("the same work done anew brings its bytes in a pack of its own", () => {
    const fold = packed([1, 1, 1, 1, 1, 2]);
    look(fold, [1, 2]);
    const register = { model: "best", alias: null };
    finishAll(fold, [3, 3, 3, 3, 3, 3], { register });
    for (let number = 1; number < trials; number++) {
      assert.ok(!fold.state.gone.has(digestOfNumber(number)));
      assert.equal(fold.state.packed.get(digestOfNumber(number)), 3);
    }
    assert.equal(fold.state.packed.get(digestOfNumber(trials)), 2);
  });
});
