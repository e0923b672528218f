import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { commandRate } from "../../coordinator/leader/sender-quota.ts";
import { RateLimit } from "../../protocol/rate-limit.ts";

const { atOnce: commandsAtOnce, perSecond: commandsPerSecond } = commandRate;

test("CMD-2: over any span a sender gets at most its burst and its rate, whatever others do", () => {
  const asks = fc.array(fc.tuple(fc.constantFrom("ada", "bob"), fc.nat(40)), { maxLength: 3_000 });
  fc.assert(
    fc.property(asks, (steps) => {
      const limit = new RateLimit(commandRate);
      const allowed = new Map<string, number>();
      let at = 1_000;
      for (const [sender, wait] of steps) {
        at += wait;
        if (limit.allows(sender, at)) allowed.set(sender, (allowed.get(sender) ?? 0) + 1);
      }
      const most = commandsAtOnce + (commandsPerSecond * (at - 1_000)) / 1_000;
      return [...allowed.values()].every((count) => count <= most + 1e-6);
    }),
    { numRuns: 20 },
  );
});

test("CMD-2: one that floods is turned away and another is served; after a while it is served again", () => {
  const limit = new RateLimit(commandRate);
  let served = 0;
  for (let count = 0; count < commandsAtOnce + 100; count++) if (limit.allows("ada", 0)) served++;
  assert.equal(served, commandsAtOnce);
  assert.equal(limit.allows("bob", 0), true);
  assert.equal(limit.allows("ada", 10), false);
  assert.equal(limit.allows("ada", 1_000), true);
});
