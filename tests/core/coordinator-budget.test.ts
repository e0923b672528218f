import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { available, charge, reserve } from "../../coordinator/budget/ledger.ts";
import { priceOf } from "../../protocol/token.ts";
import { Fold, sweepSpec } from "../support/fold.ts";

test("BUDGET-3: no charge exceeds its reservation, whatever an agent says it used", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -10, max: 1e9, noNaN: true }),
      fc.double({ min: 0.02, max: 200, noNaN: true }),
      fc.nat(),
      (used, rate, reserved) => {
        const amount = charge(used, rate, reserved);
        return amount >= 0 && amount <= reserved;
      },
    ),
  );
});

test("BUDGET-1: a reservation never exceeds what is free, and pays for its whole horizon", () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.double({ min: 0.02, max: 200, noNaN: true }), (free, rate) => {
      const reservation = reserve(free, rate, { leaseMs: 15_000, horizonMinMs: 2_000 });
      if (reservation === null) return priceOf(2_000, rate) > free - rate;
      return reservation.amount <= free && priceOf(reservation.horizonMs, rate) <= reservation.amount;
    }),
  );
});

test("BUDGET-4: a sweep's own cap bounds it before the account does", () => {
  const funds = { granted: 100, posted: 10, pending: 20 };
  assert.equal(available(funds, null), 70);
  assert.equal(available(funds, { spent: 5, pending: 5, cap: 15 }), 5);
  assert.equal(available(funds, { spent: 15, pending: 5, cap: 15 }), 0);
});

test("a requester with 50 tokens stops at them, and goes on with a new grant", () => {
  const fold = new Fold();
  fold.open("ada", 50);
  fold.join("box", 2);
  fold.must("sweep-run", { spec: sweepSpec({ search: { method: "random", trials: 20, seed: 1 } }) });
  for (let round = 0; round < 100 && fold.running().length > 0; round++) {
    for (const trial of fold.running()) fold.finish(trial, 0.5, 4_000);
  }
  const account = fold.state.accounts.get("ada");
  assert.ok(account !== undefined);
  assert.ok(account.posted <= 50_000 && account.posted > 45_000, `posted ${account.posted}`);
  assert.equal(account.pending, 0);
  assert.equal(fold.state.sweeps.get("s1")?.state, "running");
  fold.must("budget-grant", { requester: "ada", amount: 1_000_000 });
  for (let round = 0; round < 100 && fold.running().length > 0; round++) {
    for (const trial of fold.running()) fold.finish(trial, 0.5, 4_000);
  }
  assert.equal(fold.state.sweeps.get("s1")?.state, "done");
});

test("the statement adds up line by line, and every line holds posted + pending ≤ granted", () => {
  const fold = new Fold();
  fold.open("ada", 40);
  fold.join("box", 3);
  fold.must("sweep-run", { spec: sweepSpec() });
  while (fold.running().length > 0) for (const trial of fold.running()) fold.finish(trial, 0.1, 3_000);
  const lines = fold.state.ledgers.get("ada") ?? [];
  let [granted, posted, pending] = [0, 0, 0];
  for (const line of lines) {
    if (line.kind === "grant") granted += line.amount;
    if (line.kind === "reserve" || line.kind === "extend") pending += line.amount;
    if (line.kind === "post") posted += line.amount;
  }
  assert.ok(lines.length > 10);
  for (const line of lines) assert.ok(line.posted + line.pending <= line.granted);
  const last = lines.at(-1);
  assert.equal(last?.granted, granted);
  assert.equal(last?.posted, posted);
  assert.ok(pending >= posted);
});
