/** What goes of the stored bytes, in generated histories: nothing that is referred to, all that is not, and no lease that needs what is gone. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { apply } from "../../coordinator/core/apply.ts";
import { loadState, entityAt } from "../../coordinator/core/projection.ts";
import { eachNeeded, referredTo } from "../../coordinator/collect/reference.ts";
import { defaultRetention, retentionOf } from "../../coordinator/collect/default-retention.ts";
import { leaseNeeds } from "../support/lease-need.ts";
import { emptyState } from "../../coordinator/state/state.ts";
import { StoreFold } from "../support/store-fold.ts";
import { sweepSpec } from "../support/fold.ts";
import { stateText } from "../support/state-text.ts";

const hourMs = 3_600_000;
const runs = 40;

/** What somebody does next; the numbers pick among what there is. */
const step = fc.oneof(
  ...(
    [
      ["finish", 14],
      ["upload", 4],
      ["lose", 2],
      ["sweep", 3],
      ["extend", 2],
      ["remove", 1],
      ["restore", 1],
      ["stop", 1],
      ["pause", 1],
      ["pin", 1],
      ["collect", 6],
      ["wait", 2],
    ] as const
  ).map(([what, weight]) => ({
    weight,
    arbitrary: fc.record({ do: fc.constant(what), which: fc.nat(40), value: fc.nat(19) }),
  })),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const plans = [
  { search: { method: "random", trials: 5, seed: 1 }, stopping: { policy: "none", max: 1 } },
  { search: { method: "random", trials: 5, seed: 1 }, stopping: { policy: "none", max: 3 } },
  {
    search: { method: "random", trials: 6, seed: 2 },
    stopping: { policy: "asha", min: 1, max: 4, eta: 2 },
    register: { model: "best", alias: "champion" },
  },
  { search: { method: "pbt", trials: 6, seed: 3 }, stopping: { policy: "none", max: 2 } },
  {
    search: { method: "random", trials: 5, seed: 1 },
    stopping: { policy: "none", max: 1 },
    register: { model: "best", alias: null },
  },
] as const;

function play(fold: StoreFold, { do: what, value, which }: Step): void {
  const sweeps = [...fold.state.sweeps.keys()];
  const sweep = sweeps[which % Math.max(1, sweeps.length)] ?? "s1";
  const running = fold.running();
  const trial = running[which % Math.max(1, running.length)];
  switch (what) {
    case "finish":
      if (trial !== undefined) fold.complete(trial, value / 20);
      return;
    case "upload":
      if (trial !== undefined) fold.upload(trial);
      return;
    case "lose":
      if (trial !== undefined) fold.fail(trial);
      return;
    case "sweep":
      fold.command("sweep-run", {
        spec: sweepSpec({ ...plans[which % plans.length], name: `n${value % 3}` }),
      });
      return;
    case "extend":
      fold.command("sweep-extend", { sweep, trials: (value % 3) + 1 });
      return;
    case "remove":
      fold.command("sweep-remove", { sweep, force: true });
      return;
    case "restore":
      fold.command("sweep-restore", { sweep });
      return;
    case "stop":
      fold.command("sweep-stop", { sweep });
      return;
    case "pause":
      fold.command(value % 2 === 0 ? "sweep-pause" : "sweep-resume", { sweep });
      return;
    case "pin": {
      const digest = [...fold.stored.keys()][which];
      if (digest !== undefined) fold.command(value % 2 === 0 ? "artifact-pin" : "artifact-unpin", { digest });
      return;
    }
    case "collect":
      if (value > 9) fold.command("gc-run", { graceMs: which % 2 === 0 ? 0 : null });
      return fold.look({ mayCollect: which % 4 !== 3, dieBeforeRemoval: which % 4 === 1 });
    case "wait":
      return fold.pass(which * hourMs);
  }
}

function begin(checkpoints: number): StoreFold {
  const fold = new StoreFold();
  fold.open("ada", 1_000_000);
  fold.join("a", 2);
  fold.join("b", 2);
  fold.must("retention-set", { checkpoints });
  fold.must("sweep-run", { spec: sweepSpec({ ...plans[2] }) });
  return fold;
}

const history = fc.record({
  checkpoints: fc.nat(2),
  steps: fc.array(step, { minLength: 60, maxLength: 200, size: "max" }),
});

describe("collection", () => {
  test("GC-1: no digest is referred to at the moment of its collection, nor by any lease given later", () => {
    let collected = 0;
    fc.assert(
      fc.property(history, ({ checkpoints, steps }) => {
        const fold = begin(checkpoints);
        fold.onCollected = (digest) => {
          collected++;
          const referred = referredTo({ state: fold.state, at: fold.at, retention: retentionOf(fold.state) });
          assert.ok(!referred.has(digest), `${digest} is referred to`);
        };
        for (const each of steps) {
          play(fold, each);
          for (const { digest, of } of leaseNeeds(fold.state))
            assert.ok(fold.stored.has(digest), `${of} needs ${digest}, which is not stored`);
        }
      }),
      { numRuns: runs, seed: 7 },
    );
    assert.ok(collected > runs, `${collected} were collected`);
  });

  test("GC-1: everything that nothing refers to goes in the end, and everything else stays", () => {
    fc.assert(
      fc.property(history, ({ checkpoints, steps }) => {
        const fold = begin(checkpoints);
        for (const each of steps) play(fold, each);
        fold.restOfIt();
        const moment = { state: fold.state, at: fold.at, retention: retentionOf(fold.state) };
        const referred = referredTo(moment);
        for (const digest of fold.stored.keys()) assert.ok(referred.has(digest), `${digest} is still there`);
        for (const { digest, of } of eachNeeded(moment))
          assert.ok(fold.stored.has(digest), `${of} needs ${digest}`);
      }),
      { numRuns: runs, seed: 8 },
    );
  });

  test("GC-4: the journal adds up to the same state, cut anywhere, and so does the store of entities", () => {
    fc.assert(
      fc.property(history, fc.nat(), ({ checkpoints, steps }, at) => {
        const fold = begin(checkpoints);
        for (const each of steps) play(fold, each);
        const cut = fold.cuts[at % fold.cuts.length] ?? 0;
        const state = emptyState();
        for (const [index, { at: time, event }] of fold.events.entries()) {
          apply(state, event, time);
          if (index + 1 !== cut && index + 1 !== fold.events.length) continue;
          // What is stored is what a later start reads.
          const stored = new Map<string, unknown>();
          for (const key of allKeys(state)) {
            const value = entityAt(state, key);
            if (value !== undefined) stored.set(key, JSON.parse(JSON.stringify(value)));
          }
          const loaded = loadState((prefix) =>
            [...stored].filter(([key]) => key.startsWith(prefix)).sort(byKey),
          );
          assert.equal(stateText(loaded), stateText(state));
          assert.deepEqual(loaded.gone, state.gone);
          assert.deepEqual(loaded.marked, state.marked);
          assert.deepEqual(loaded.openMarks, state.openMarks);
        }
        assert.equal(stateText(state), stateText(fold.state));
      }),
      { numRuns: 20, seed: 9 },
    );
  });

  test("GC-5: what somebody was told is there is spared, and what nobody speaks of is left alone while it is young", () => {
    const fold = begin(0);
    fold.must("retention-set", { graceMs: 0 });
    const digest = "e".repeat(64);
    fold.put(digest);
    fold.look();
    fold.look();
    assert.ok(fold.stored.has(digest), "it may be part of an upload");
    fold.at += 25 * hourMs;
    fold.put(digest);
    fold.look();
    fold.look();
    assert.ok(fold.stored.has(digest), "somebody was told that it is there");
    fold.restOfIt();
    assert.ok(!fold.stored.has(digest));
  });

  test("GC-7: by default the best three of a sweep are kept, and what a removed one had for a month", () => {
    const fold = new StoreFold();
    assert.equal(defaultRetention.checkpoints, 3);
    fold.open("ada", 1_000_000);
    fold.join("a", 1);
    fold.must("sweep-run", { spec: sweepSpec({ search: { method: "random", trials: 8, seed: 1 } }) });
    for (let value = 1; fold.running()[0] !== undefined; value++)
      fold.complete(fold.running()[0], value / 10);
    fold.restOfIt();
    const kept = [...fold.state.trials.values()].filter(({ checkpoint }) =>
      fold.stored.has(checkpoint?.digest ?? ""),
    );
    assert.deepEqual(
      kept.map(({ trial }) => trial),
      ["s1-6", "s1-7", "s1-8"],
    );
    fold.must("sweep-remove", { sweep: "s1" });
    fold.pass(20 * 24 * hourMs);
    fold.restOfIt();
    assert.equal(fold.stored.size, 3);
    fold.pass(9 * 24 * hourMs);
    fold.restOfIt();
    assert.equal(fold.stored.size, 0);
  });
});

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function allKeys(state: ReturnType<typeof emptyState>): Iterable<string> {
  return state.dirty;
}
