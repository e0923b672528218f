/** What becomes of a lease when another leads: how long its reservation is kept, and what its agent is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { apply } from "../../coordinator/core/apply.ts";
import { OwedOrders } from "../../coordinator/leader/owed-orders.ts";
import { extendSchema } from "../../protocol/order.ts";
import { MeteredAttempt } from "../support/metered-attempt.ts";

const leaseMs = 15_000;
const heardMs = 2_000;
/** For six seconds nobody led. */
const electedMs = 8_000;

/** One attempt, paid for one lease of an account of so much, ms; heard once, and then another leads. */
function elected(tokens: number) {
  const one = new MeteredAttempt(tokens);
  const { attempt, fold, from } = one;
  one.beat(from + heardMs, { usedMs: heardMs, atWork: true });
  fold.at = from + electedMs;
  apply(fold.state, { kind: "LeaderElected", epoch: fold.state.meta.epoch + 1, leader: "other" }, fold.at);
  assert.equal(attempt.until, from + leaseMs + electedMs - heardMs, "too long, by the time nobody led");
  const owed = new OwedOrders(fold.settings.resendMs);
  /** The ends of its lease that its agent is told, ms from its beginning. */
  const told = () =>
    owed
      .allDue(fold.state, fold.at)
      .filter(({ name }) => name === "extend")
      .flatMap(({ body }) => extendSchema.parse({ ...body, expires: fold.at + 1 }).leases)
      .map(({ at, horizonMs }) => at + horizonMs - from);
  return { one, told };
}

test("LEASE-7: where nothing pays for what an election made longer, no agent hears of it, and its reservation stays", () => {
  const { one, told } = elected(leaseMs / 1_000);
  const { attempt, fold, from } = one;
  const until = attempt.until;
  assert.deepEqual(told(), []);
  for (let ms = electedMs + 500; ms < leaseMs; ms += 2_000) {
    one.beat(from + ms, { usedMs: ms, atWork: true });
    assert.deepEqual([told(), attempt.until], [[], until]);
  }
  fold.at = until + fold.settings.graceMs;
  fold.pass(0);
  assert.equal(attempt.state, "running");
  fold.pass(1);
  assert.equal(attempt.ending, "lost");
});

test("LEASE-3: what its account can pay for is told an agent of before as soon as it is heard", () => {
  const { one, told } = elected(1_000);
  const at = electedMs + 500;
  assert.deepEqual(told(), []);
  one.beat(one.from + at, { usedMs: at, atWork: true });
  assert.deepEqual(told(), [at + leaseMs]);
});

test("LEASE-3: an account that can pay for a little more than an election made it pays for that", () => {
  const { one, told } = elected(leaseMs / 1_000 + 7);
  const at = electedMs + 500;
  one.beat(one.from + at, { usedMs: at, atWork: true });
  assert.deepEqual(told(), [leaseMs + 7_000]);
});
