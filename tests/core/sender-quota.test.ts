/** What one sender may ask of the leader, whatever others ask. */
import * as fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  commandRate,
  queryRate,
  SenderQuota,
  type QuotaKind,
} from "../../coordinator/leader/sender-quota.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";

const kinds: readonly QuotaKind[] = ["command", "query", "heartbeat", "register", "report"];

test("QUOTA-1: whatever a greedy sender does, one that keeps to its rate is never turned away", () => {
  const floods = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.nat(bytesPerMiB), fc.nat(400)), {
    maxLength: 300,
  });
  fc.assert(
    fc.property(floods, (steps) => {
      const quota = new SenderQuota(() => undefined);
      let at = 0;
      for (const [kind, bytes, times] of steps) {
        for (let n = 0; n < times; n++) quota.allows(kind, "agent/greedy", bytes, at);
        at += 1_000;
        assert.ok(quota.allows("query", "requester/modest", 500, at));
        assert.ok(quota.allows("register", "agent/modest", 5_000, at));
      }
    }),
    { numRuns: 50 },
  );
});

test("QUOTA-1: over any span one sender gets at most its burst and its rate of a kind, and is told of once a minute", () => {
  const said: string[] = [];
  const quota = new SenderQuota((line) => said.push(line));
  let allowed = 0;
  const spanMs = 30_000;
  for (let at = 0; at < spanMs; at += 2)
    for (let n = 0; n < 3; n++) if (quota.allows("query", "viewer/eye", 10, at)) allowed++;
  assert.ok(allowed <= queryRate.atOnce + (queryRate.perSecond * spanMs) / 1_000);
  assert.ok(allowed >= queryRate.atOnce);
  assert.deepEqual(said, ["viewer/eye says more than one may (query); what is beyond is turned away"]);
});

test("QUOTA-1: bytes count as well as messages, over all kinds together", () => {
  const quota = new SenderQuota(() => undefined);
  let taken = 0;
  for (let n = 0; n < commandRate.atOnce; n++)
    if (quota.allows("command", "requester/big", bytesPerMiB, 0)) taken++;
  assert.equal(taken, 64);
  assert.equal(quota.allows("query", "requester/big", 1, 0), false);
  assert.equal(quota.allows("query", "requester/small", 1, 0), true);
});

test("QUOTA-1: whose questions took the leader long waits in proportion, and another is answered", () => {
  const quota = new SenderQuota(() => undefined);
  let [answered, at] = [0, 0];
  // Each answer takes 300 ms, and the next question comes at once.
  for (; at < 60_000; at += 10) {
    if (!quota.allows("query", "viewer/insight", 100, at)) continue;
    quota.answered("viewer/insight", 300, at);
    answered++;
  }
  assert.ok(answered * 300 <= 5_000 + 60 * 250 + 300, `${answered} answers of 300 ms in a minute`);
  assert.ok(answered >= 60);
  assert.equal(quota.allows("query", "viewer/other", 100, at), true);
  assert.equal(quota.allows("command", "viewer/insight", 100, at), true);
});

test("QUOTA-1: checkpoints that come with reports have a measure of their own, generous to who is honest", () => {
  const quota = new SenderQuota(() => undefined);
  const messageBytes = 512 * 1024;
  let taken = 0;
  for (let at = 0; at < 60_000; at += 25)
    if (quota.allows("report", "agent/one", 10_000, at, messageBytes)) taken += messageBytes;
  // 20 MiB a second for a minute, which is half a million checkpoints of 2 KiB.
  assert.equal(taken, 2_400 * messageBytes);
  let flood = 0;
  for (let at = 0; at < 60_000; at += 10)
    if (quota.allows("report", "agent/two", 1_000, at, messageBytes)) flood += messageBytes;
  const mostBytes = (128 + 60 * 32) * 1024 * 1024;
  assert.ok(flood <= mostBytes && flood > mostBytes * 0.95);
  assert.ok(quota.allows("report", "agent/three", 1_000, 60_000, messageBytes), "nobody else notices");
});
