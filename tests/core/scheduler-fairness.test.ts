import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  catchUpMilliTokens,
  correct,
  fairOrder,
  memoryHalfLifeMs,
  serve,
  startTag,
} from "../../coordinator/queue/fair-queue.ts";
import { activeAttempt } from "../../coordinator/state/state.ts";
import { sweepOrder } from "../../coordinator/queue/sweep-order.ts";
import { OwedOrders } from "../../coordinator/leader/owed-orders.ts";
import { whyViewOf } from "../../coordinator/view/why-answer.ts";
import { capability, Fold, sweepSpec } from "../support/fold.ts";

interface Flow {
  name: string;
  weight: number;
  finishTag: number;
  taggedAt: number;
  backlogged: boolean;
  service: number;
  /** Largest cost it was charged, which is what the bound is made of. */
  costMax: number;
}

const nameOf = ({ name }: Flow) => name;

test("SFQ bound: any two stay within it over any span both are backlogged, whatever others come and go and capacity does", () => {
  const step = fc.record({ cost: fc.integer({ min: 1, max: 5_000 }), arrives: fc.nat(3), leaves: fc.nat(9) });
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 4, maxLength: 4 }),
      fc.array(step, { minLength: 30, maxLength: 200 }),
      (weights, steps) => {
        const flows = weights.map((weight, index): Flow => ({
          name: `r${index}`,
          weight,
          finishTag: 0,
          taggedAt: 0,
          // The first two always have work; the others arrive and leave.
          backlogged: index < 2,
          service: 0,
          costMax: 0,
        }));
        const [a, b] = flows;
        if (a === undefined || b === undefined) return false;
        let virtualTime = 0;
        for (const { arrives, cost, leaves } of steps) {
          const comer = flows[arrives];
          if (comer !== undefined) comer.backlogged = true;
          const goer = flows[leaves];
          if (goer !== undefined && leaves >= 2) goer.backlogged = false;
          const [next] = fairOrder(
            flows.filter(({ backlogged }) => backlogged),
            nameOf,
            virtualTime,
            0,
          );
          if (next === undefined) return false;
          const tags = serve(next, virtualTime, cost, 0);
          next.finishTag = tags.finishTag;
          next.service += cost;
          next.costMax = Math.max(next.costMax, cost);
          virtualTime = tags.virtualTime;
          const gap = Math.abs(a.service / a.weight - b.service / b.weight);
          if (gap > a.costMax / a.weight + b.costMax / b.weight + 1e-6) return false;
        }
        return true;
      },
    ),
  );
});

test("SFQ-2: virtual time never goes back, whatever is served and corrected", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(2), fc.nat(100_000), fc.nat(100_000)), { minLength: 1, maxLength: 60 }),
      (services) => {
        const flows = [1, 2, 5].map((weight) => ({ weight, finishTag: 0, taggedAt: 0 }));
        let virtualTime = 0;
        for (const [index, charged, actual] of services) {
          const flow = flows[index];
          if (flow === undefined) return false;
          const tags = serve(flow, virtualTime, charged, 0);
          if (tags.virtualTime < virtualTime) return false;
          virtualTime = tags.virtualTime;
          flow.finishTag = tags.finishTag;
          flow.finishTag = correct(flow, charged, actual);
        }
        return true;
      },
    ),
  );
});

test("SFQ-5: debt and credit halve with each half-life, and never pass virtual time", () => {
  const behind = { weight: 1, finishTag: 1_000, taggedAt: 0 };
  const ahead = { weight: 1, finishTag: 201_000, taggedAt: 0 };
  const virtualTime = 101_000;
  assert.equal(startTag(ahead, virtualTime, memoryHalfLifeMs), virtualTime + 50_000);
  assert.equal(startTag(ahead, virtualTime, 2 * memoryHalfLifeMs), virtualTime + 25_000);
  // Credit is bounded first, then fades.
  assert.equal(startTag(behind, virtualTime, 0), virtualTime - catchUpMilliTokens);
  assert.equal(startTag(behind, virtualTime, memoryHalfLifeMs), virtualTime - catchUpMilliTokens / 2);
});

test("SFQ-3: an attempt that outlives its estimate is charged as it goes on, before it ends", () => {
  const fold = new Fold();
  fold.open("ada", 10_000);
  fold.join("box", 1);
  fold.must("sweep-run", { spec: sweepSpec() });
  const tag = () => fold.state.accounts.get("ada")?.finishTag ?? 0;
  const atStart = tag();
  for (let minute = 0; minute < 6; minute++) {
    fold.at += 10_000;
    fold.heartbeat("box", (minute + 1) * 10_000);
  }
  assert.ok(tag() - atStart > 40_000, `charged only ${tag() - atStart} milli-tokens more after a minute`);
});

test("SFQ-6: of one requester the higher priority goes first, equal ones share its turn by their weights", () => {
  const fold = new Fold();
  fold.open("ada", 100_000);
  fold.join("box", 1);
  const many = (weight: number, priority: number, seed: number) =>
    sweepSpec({ search: { method: "random", trials: 400, seed }, reuse: false, weight, priority });
  fold.must("sweep-run", { spec: many(1, 0, 1) });
  fold.must("sweep-run", { spec: many(3, 0, 2) });
  const served: Record<string, number> = {};
  const finishOne = () => {
    const [trial] = fold.running();
    assert.ok(trial !== undefined);
    served[trial.sweep] = (served[trial.sweep] ?? 0) + 1;
    fold.finish(trial, 0.5, 5_000);
  };
  for (let count = 0; count < 80; count++) finishOne();
  const ratio = (served["s2"] ?? 0) / (served["s1"] ?? 1);
  assert.ok(ratio > 2.6 && ratio < 3.4, `weights 1 and 3 were served ${ratio}`);
  fold.must("sweep-run", { spec: many(1, 5, 3) });
  finishOne();
  for (let count = 0; count < 10; count++) {
    const [trial] = fold.running();
    assert.equal(trial?.sweep, "s3", "the urgent sweep has every turn");
    finishOne();
  }
  fold.must("sweep-tune", { sweep: "s1", priority: 9 });
  const account = fold.state.accounts.get("ada");
  assert.ok(account !== undefined);
  const [first] = sweepOrder(fold.state, account, fold.at);
  assert.equal(first?.sweep, "s1");
});

test("SFQ under churn: agents come and go, and two backlogged requesters keep to their weights", () => {
  const fold = new Fold();
  fold.open("ada", 1_000_000, 1);
  fold.open("bob", 1_000_000, 3);
  for (const agent of ["one", "two", "three"]) fold.join(agent, 2);
  const many = sweepSpec({ search: { method: "random", trials: 3_000, seed: 3 }, reuse: false });
  fold.must("sweep-run", { spec: many }, "ada", "requester");
  fold.must("sweep-run", { spec: many }, "bob", "requester");
  let lives = 1;
  for (let done = 0; done < 400; done++) {
    const [trial] = fold.running();
    assert.ok(trial !== undefined);
    fold.at += 500;
    fold.finish(trial, 0.5, 3_000 + (done % 7) * 1_000);
    if (done % 17 === 0) fold.join("two", 2, undefined, `two-${++lives}`);
    if (done % 29 === 0) fold.do({ kind: "silent", agent: "three" });
    if (done % 29 === 9) fold.join("three", 2, undefined, `three-${++lives}`);
  }
  const ada = fold.state.accounts.get("ada")?.posted ?? 0;
  const bob = fold.state.accounts.get("bob")?.posted ?? 0;
  assert.ok(Math.abs(bob / ada - 3) <= 0.3, `bob ${bob}, ada ${ada}`);
});

test("PREEMPT-1..4: one above its share makes room at a checkpoint for one that waits below its share", () => {
  const fold = new Fold();
  fold.open("ada", 1_000_000);
  fold.open("bob", 1_000_000);
  fold.join("one", 2);
  fold.join("two", 2);
  const long = sweepSpec({ search: { method: "random", trials: 50, seed: 1 }, reuse: false });
  fold.must("sweep-run", { spec: long }, "ada", "requester");
  assert.equal(fold.running().length, 4);
  for (const attempt of fold.running().map(activeAttempt)) {
    if (attempt !== null) fold.report(attempt.agent, { kind: "accepted", fence: attempt.fence });
  }
  fold.must("sweep-run", { spec: long }, "bob", "requester");
  const cancels = () => fold.of("CancelRequested");
  const live = () => {
    fold.at += 5_000;
    for (const agent of ["one", "two"]) fold.heartbeat(agent, fold.at - 1_000_000);
    fold.do({ kind: "expire" });
  };
  for (let at = 0; at < 25_000; at += 5_000) live();
  assert.equal(cancels().length, 0, "PREEMPT-3: not before it has waited");
  // The attempt with the latest checkpoint has the least to lose.
  const cheap = fold
    .running()
    .map(activeAttempt)
    .find((attempt) => attempt?.agent === "two");
  assert.ok(cheap !== undefined && cheap !== null);
  const kept = { resource: 0, digest: "b".repeat(64), bytes: 1, metrics: {}, usedMs: 20_000 };
  fold.report("two", { kind: "checkpoint", fence: cheap.fence, ...kept, resource: 1 });
  for (let at = 0; at < 15_000; at += 5_000) live();
  const [cancel] = cancels();
  assert.ok(cancel?.kind === "CancelRequested", "one is asked to make room");
  assert.equal(cancel.fence, cheap.fence, "PREEMPT-2");
  assert.equal(cancel.how, "checkpoint");
  assert.equal(cancel.preemptedFor, "bob");
  assert.match(cancel.reason, /made room for s2-1 of bob/);
  for (let at = 0; at < 30_000; at += 5_000) live();
  assert.equal(cancels().length, 1, "PREEMPT-3: one slot at a time");
  const stopped = { kind: "stopped", fence: cheap.fence, ...kept, resource: 1, usedMs: 50_000 } as const;
  fold.report("two", { ...stopped, why: "cancelled" });
  const bobs = fold.running().filter((trial) => trial.sweep === "s2");
  assert.equal(bobs.length, 1, "the slot is the waiting requester's");
  for (let at = 0; at < 120_000; at += 5_000) live();
  const second = cancels()[1];
  assert.ok(second?.kind === "CancelRequested" && second.preemptedFor === "bob", "up to its share of two");
  fold.report("one", { ...stopped, fence: second.fence, digest: null, resource: 0, why: "cancelled" });
  for (let at = 0; at < 120_000; at += 5_000) live();
  assert.equal(cancels().length, 2, "PREEMPT-1: at equal shares nobody is preempted");
});

test("PREEMPT-1: who could start nothing, for want of a machine or of money, has no share to leave to it", () => {
  const fold = new Fold();
  for (const requester of ["ada", "carol", "dave"])
    fold.open(requester, 1_000_000, requester === "dave" ? 0.1 : 1);
  fold.open("bob", 1);
  fold.joinWith("rig", 1, { ...capability({ alpha: 1 }), labels: { gpu: "big" } });
  fold.join("one", 2);
  const long = sweepSpec({
    search: { method: "random", trials: 9, seed: 1 },
    reuse: false,
    beyondBudget: true,
  });
  fold.must("agent-cordon", { agent: "rig", cordon: true });
  fold.must("sweep-run", { spec: { ...long, needs: { labels: { gpu: "big" } } } }, "ada", "requester");
  fold.do({ kind: "silent", agent: "rig" });
  fold.must("sweep-run", { spec: long }, "dave", "requester");
  fold.must("sweep-run", { spec: { ...long, trialSeed: 2 } }, "bob", "requester");
  fold.must("sweep-run", { spec: { ...long, trialSeed: 3 } }, "carol", "requester");
  for (const attempt of fold.running().map(activeAttempt)) {
    if (attempt !== null) fold.report(attempt.agent, { kind: "accepted", fence: attempt.fence });
  }
  for (let at = 0; at < 60_000; at += 5_000) {
    fold.at += 5_000;
    fold.heartbeat("one", fold.at - 1_000_000);
    fold.do({ kind: "expire" });
  }
  const [cancel] = fold.of("CancelRequested");
  assert.ok(cancel?.kind === "CancelRequested", "carol is made room for");
  assert.equal(cancel.preemptedFor, "carol");
  const waiting = [...fold.state.trials.values()].find(
    ({ state, sweep }) => state === "queued" && sweep === "s4",
  );
  assert.ok(waiting !== undefined);
  const { ahead } = whyViewOf(fold.state, waiting, fold.settings);
  assert.ok(
    ahead.every(({ requester }) => requester === "dave"),
    JSON.stringify(ahead),
  );
});

test("LEASE-3: an extension is told to its agent at once, and again after a while", () => {
  const fold = new Fold();
  fold.open("ada", 10_000);
  fold.join("box", 1);
  fold.must("sweep-run", { spec: sweepSpec() });
  const attempt = fold.running().map(activeAttempt)[0];
  assert.ok(attempt !== null && attempt !== undefined);
  const owed = new OwedOrders(2_000);
  const namesAt = (at: number) => owed.allDue(fold.state, at).map(({ name }) => name);
  assert.deepEqual(namesAt(fold.at), ["offer"]);
  fold.report("box", { kind: "accepted", fence: attempt.fence });
  assert.deepEqual(namesAt(fold.at + 100), []);
  fold.at += 8_000;
  fold.heartbeat("box", 8_000);
  assert.deepEqual(namesAt(fold.at), ["extend"]);
  assert.deepEqual(namesAt(fold.at + 100), []);
  // Changed again within the time of a repeat: said all the same.
  fold.at += 300;
  fold.do({
    kind: "command",
    key: "later-1",
    sender: { role: "owner", who: "ada" },
    name: "budget-grant",
    body: { requester: "ada", amount: 1 },
  });
  attempt.until += 1;
  assert.deepEqual(namesAt(fold.at), ["extend"]);
  assert.deepEqual(namesAt(fold.at + 2_100), ["extend"]);
});
