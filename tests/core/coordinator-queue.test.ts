import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  catchUpMilliTokens,
  correct,
  fairOrder,
  serve,
  startTag,
} from "../../coordinator/queue/fair-queue.ts";
import { Fold, sweepSpec } from "../support/fold.ts";

interface Flow {
  requester: string;
  weight: number;
  finishTag: number;
  taggedAt: number;
  service: number;
}

test("SFQ bound: two backlogged requesters differ by at most one cost over weight each, whatever the costs", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 20, maxLength: 200 }),
      (weightA, weightB, costs) => {
        const a: Flow = { requester: "a", weight: weightA, finishTag: 0, taggedAt: 0, service: 0 };
        const b: Flow = { requester: "b", weight: weightB, finishTag: 0, taggedAt: 0, service: 0 };
        let virtualTime = 0;
        const largest = Math.max(...costs);
        for (const cost of costs) {
          const next = [...fairOrder([a, b], ({ requester }) => requester, virtualTime, 0)][0];
          if (next === undefined) return false;
          const tags = serve(next, virtualTime, cost, 0);
          next.finishTag = tags.finishTag;
          next.service += cost;
          virtualTime = tags.virtualTime;
          const gap = Math.abs(a.service / a.weight - b.service / b.weight);
          if (gap > largest / a.weight + largest / b.weight + 1e-9) return false;
        }
        return true;
      },
    ),
  );
});

test("SFQ-4: an idle requester catches up by a bounded amount, however long it waited", () => {
  const idle = { weight: 2, finishTag: 0, taggedAt: 0 };
  assert.equal(startTag(idle, 5_000_000, 0), 5_000_000 - catchUpMilliTokens / 2);
});

test("SFQ-3: a service that cost less than charged is corrected to what was posted", () => {
  const account = { weight: 2, finishTag: 100, taggedAt: 0 };
  assert.equal(correct(account, 80, 20), 70);
});

test("weights 1 and 3, both backlogged on three agents: service within 10% of 1:3 over 60 trials", () => {
  const fold = new Fold();
  fold.open("ada", 10_000, 1);
  fold.open("bob", 10_000, 3);
  for (const agent of ["one", "two", "three"]) fold.join(agent, 1);
  const many = sweepSpec({ search: { method: "random", trials: 500, seed: 3 }, reuse: false });
  fold.must("sweep-run", { spec: many }, "ada", "requester");
  fold.must("sweep-run", { spec: many }, "bob", "requester");
  for (let done = 0; done < 60; done++) {
    const [trial] = fold.running();
    assert.ok(trial !== undefined);
    fold.finish(trial, 0.5, 5_000);
  }
  const ada = fold.state.accounts.get("ada")?.posted ?? 0;
  const bob = fold.state.accounts.get("bob")?.posted ?? 0;
  assert.ok(Math.abs(bob / ada - 3) <= 0.3, `bob ${bob}, ada ${ada}`);
});

test("a third requester arriving late is served at its next turn and does not starve the others", () => {
  const fold = new Fold();
  for (const requester of ["ada", "bob", "eve"]) fold.open(requester, 10_000);
  fold.join("one", 1);
  const many = sweepSpec({ search: { method: "random", trials: 500, seed: 3 }, reuse: false });
  fold.must("sweep-run", { spec: many }, "ada", "requester");
  fold.must("sweep-run", { spec: many }, "bob", "requester");
  const finishOne = () => {
    const [trial] = fold.running();
    assert.ok(trial !== undefined);
    fold.finish(trial, 0.5, 5_000);
    return fold.state.sweeps.get(fold.running()[0]?.sweep ?? "")?.requester;
  };
  for (let count = 0; count < 30; count++) finishOne();
  fold.must("sweep-run", { spec: many }, "eve", "requester");
  const order = Array.from({ length: 12 }, finishOne);
  assert.ok(order.slice(0, 3).includes("eve"), order.join());
  for (const requester of ["ada", "bob", "eve"]) {
    const turns = order.filter((served) => served === requester).length;
    assert.ok(turns >= 3 && turns <= (requester === "eve" ? 6 : 5), order.join());
  }
});
