import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { refillDue } from "../../coordinator/budget/refill.ts";
import { apply } from "../../coordinator/core/apply.ts";
import { brokenInvariants } from "../../coordinator/core/invariant.ts";
import { settingsFor } from "../../coordinator/state/setting.ts";
import { activeAttempt, emptyState } from "../../coordinator/state/state.ts";
import { Fold, digestOfNumber, sweepSpec } from "../support/fold.ts";

const minuteMs = 60_000;

test("BUDGET-5: a refill never lifts what is available above its bucket, and pays each period once", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.integer({ min: 1, max: 5_000 }),
      fc.array(fc.record({ wait: fc.nat(5 * minuteMs), spend: fc.nat(2_000) }), { maxLength: 40 }),
      (amount, upTo, steps) => {
        const refill = { amount, everyMs: minuteMs, upTo };
        let available = 0;
        let until = 0;
        let paid = 0;
        let at = 0;
        for (const { spend, wait } of steps) {
          at += wait;
          const due = refillDue(refill, until, available, at);
          if (due !== null) {
            if (due.until > at || due.until <= until) return false;
            until = due.until;
            paid += due.amount;
            available += due.amount;
            if (due.amount > 0 && available > upTo) return false;
          }
          available = Math.max(0, available - spend);
        }
        return paid <= amount * Math.floor(at / minuteMs);
      },
    ),
  );
});

test("a refill pays with the clock, and a sweep that waits for it goes on", () => {
  const fold = new Fold();
  fold.open("ada", 10);
  fold.join("box", 1);
  fold.must("account-set", { requester: "ada", refill: { amount: 6_000, everyMs: minuteMs, upTo: 9_000 } });
  fold.must("sweep-run", { spec: sweepSpec({ reuse: false, beyondBudget: true }) });
  const finishAll = () => {
    for (let round = 0; round < 50 && fold.running().length > 0; round++) {
      for (const trial of fold.running()) fold.finish(trial, 0.5, 4_000);
    }
  };
  finishAll();
  assert.equal(fold.running().length, 0, "it has run out");
  fold.pass(minuteMs);
  assert.equal(fold.running().length, 1, "the refill starts the next");
  for (let minute = 0; minute < 10; minute++) {
    finishAll();
    fold.pass(minuteMs);
  }
  assert.equal(fold.state.sweeps.get("s1")?.state, "done");
  const lines = fold.state.ledgers.get("ada") ?? [];
  assert.ok(lines.some(({ kind }) => kind === "refill"));
});

test("a refill that does not fit its bucket is refused, and one for nobody too", () => {
  const fold = new Fold();
  fold.open("ada", 10);
  const refill = { amount: 10_000, everyMs: minuteMs, upTo: 9_000 };
  const small = fold.command("account-set", { requester: "ada", refill });
  assert.match(small.ok ? "" : small.refusal.message, /does not fit into a bucket of 9\.00/);
  const nobody = fold.command("account-set", { requester: "adda", refill: null });
  assert.match(nobody.ok ? "" : nobody.refusal.message, /no account adda.*ada/);
  const negative = fold.command("account-set", { requester: "ada", weight: -1 });
  assert.match(negative.ok ? "" : negative.refusal.message, /weight/);
});

test("BUDGET-4: an account's cap for each sweep bounds one that has no cap of its own", () => {
  const fold = new Fold();
  fold.open("ada", 1_000);
  fold.join("box", 2);
  fold.must("account-set", { requester: "ada", sweepCap: 30_000 });
  const spec = sweepSpec({
    search: { method: "random", trials: 50, seed: 2 },
    reuse: false,
    beyondBudget: true,
  });
  fold.must("sweep-run", { spec });
  for (let round = 0; round < 100 && fold.running().length > 0; round++) {
    for (const trial of fold.running()) fold.finish(trial, 0.5, 4_000);
  }
  const spent = fold.state.sweeps.get("s1")?.spent ?? 0;
  assert.ok(spent <= 30_000 && spent > 25_000, `spent ${spent}`);
});

/** One kind of step: how often it comes, whom it is about at most, and the most time or amount in it. */
const act = (weight: number, what: string, whichMax: number, usedMax: number) => ({
  weight,
  arbitrary: fc.record({ do: fc.constant(what), which: fc.nat(whichMax), used: fc.nat(usedMax) }),
});

/** What may happen in a run; each step is one input. */
const step = fc.oneof(
  act(6, "finish", 9, 14_000),
  act(2, "checkpoint", 9, 9_000),
  act(2, "heartbeat", 2, 20_000),
  act(2, "pass", 9, 30_000),
  act(1, "restart", 2, 9),
  act(1, "silent", 2, 9),
  act(1, "fail", 9, 9_000),
  act(1, "drain", 2, 1),
  act(1, "grant", 1, 9_000),
);

const agents = ["one", "two", "three"];

function play(steps: readonly { do: string; which: number; used: number }[]): Fold {
  const fold = new Fold();
  fold.open("ada", 60);
  fold.open("bob", 90, 2);
  for (const agent of agents) fold.join(agent, 2);
  const stopping = { policy: "asha", min: 1, max: 4, eta: 2 } as const;
  const spec = sweepSpec({ search: { method: "random", trials: 12, seed: 5 }, stopping, beyondBudget: true });
  fold.must("sweep-run", { spec }, "ada", "requester");
  fold.must("sweep-run", { spec: { ...spec, trialSeed: 2 } }, "bob", "requester");
  let lives = 1;
  for (const { do: what, used, which } of steps) {
    const trial = fold.running()[which % Math.max(1, fold.running().length)];
    const attempt = trial === undefined ? null : activeAttempt(trial);
    const agent = agents[which % agents.length] ?? "one";
    const kept = { resource: 1, digest: digestOfNumber(used), bytes: 1, metrics: {}, usedMs: used };
    if (what === "finish" && trial !== undefined) fold.finish(trial, (used % 97) / 97, used);
    else if (what === "checkpoint" && attempt !== null) {
      fold.report(attempt.agent, { kind: "checkpoint", fence: attempt.fence, ...kept });
    } else if (what === "fail" && attempt !== null) {
      const reason = "disk";
      fold.report(attempt.agent, {
        kind: "failed",
        fence: attempt.fence,
        reason,
        retryable: true,
        usedMs: used,
      });
    } else if (what === "heartbeat") fold.heartbeat(agent, used);
    else if (what === "pass") fold.pass(used);
    else if (what === "restart") fold.join(agent, 2, undefined, `${agent}-${++lives}`);
    else if (what === "silent") fold.do({ kind: "silent", agent });
    else if (what === "drain") fold.must("agent-drain", { agent, drain: used === 1 });
    else if (what === "grant")
      fold.must("budget-grant", { requester: which === 0 ? "ada" : "bob", amount: used + 1 });
  }
  return fold;
}

test("BUDGET-1: after any event of any run, crashes at every step included, posted + pending ≤ granted", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const fold = play(steps);
      // A crash may cut the journal after any event: each prefix must hold by itself.
      const state = emptyState();
      for (const { at, event } of fold.events) {
        apply(state, event, at);
        for (const account of state.accounts.values()) {
          if (account.posted + account.pending > account.granted) return false;
        }
      }
      return brokenInvariants(state).length === 0;
    }),
    { numRuns: 40 },
  );
});

test("BUDGET-2: whoever takes over at any event leaves no reservation open, and each was resolved exactly once", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.nat(), (steps, cut) => {
      const { cuts, events } = play(steps);
      const state = emptyState();
      const until = cuts[cut % cuts.length] ?? 1;
      for (const { at, event } of events.slice(0, until)) apply(state, event, at);
      // A new leader, no agent left: everything runs out.
      const after = new Fold(settingsFor(15_000), state);
      after.at = (events[until - 1]?.at ?? 0) + 1;
      for (const agent of state.agents.keys()) after.do({ kind: "silent", agent });
      for (let round = 0; round < 4; round++) after.pass(60_000);
      const resolved = new Map<number, number>();
      for (const { event } of [...events.slice(0, until), ...after.events]) {
        if (event.kind === "LeaseOffered") resolved.set(event.fence, 0);
        if (event.kind === "AttemptEnded") resolved.set(event.fence, (resolved.get(event.fence) ?? 9) + 1);
      }
      const pending = [...state.accounts.values()].reduce((sum, account) => sum + account.pending, 0);
      return pending === 0 && state.active.size === 0 && [...resolved.values()].every((count) => count === 1);
    }),
    { numRuns: 40 },
  );
});

test("an estimate that cannot fit is refused with its figures; asked for, the sweep is launched and waits", () => {
  const fold = new Fold();
  fold.open("ada", 500);
  fold.open("bob", 3);
  fold.join("box", 2);
  const spec = sweepSpec({ search: { method: "random", trials: 10, seed: 2 }, reuse: false });
  fold.must("sweep-run", { spec }, "ada", "requester");
  while (fold.running().length > 0) for (const trial of fold.running()) fold.finish(trial, 0.5, 4_000);
  const refused = fold.command("sweep-run", { spec: { ...spec, trialSeed: 7 } }, "bob", "requester");
  assert.ok(!refused.ok);
  assert.equal(refused.refusal.code, "budget-empty");
  assert.match(
    refused.refusal.message,
    /10 trials will cost about 40\.0 tokens \([12]\d\.\d to .*from 10 past attempts\), and there are 3\.00 to spend/,
  );
  const asked = { spec: { ...spec, trialSeed: 7, beyondBudget: true } };
  fold.must("sweep-run", asked, "bob", "requester");
  assert.equal(fold.state.sweeps.get("s2")?.state, "running");
});
