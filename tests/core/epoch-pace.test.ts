/** PACE-1: what an agent says of the epochs of an attempt, whatever order and however often its program reports. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { hearEpoch, noEpochs, paceOf } from "../../agent/core/epoch-pace.ts";
import { epochsOf } from "../../coordinator/budget/epoch-cost.ts";

test("PACE-1: epochs after the first are averaged, and what came before the first is no part of it", () => {
  fc.assert(
    fc.property(
      fc.nat(10_000),
      fc.nat(10_000),
      fc.nat(20),
      fc.array(fc.integer({ min: 1, max: 5_000 }), { maxLength: 20 }),
      (startMs, firstMs, from, laps) => {
        let times = { ...noEpochs, startMs };
        let usedMs = startMs + firstMs;
        let resource = from + 1;
        times = { ...times, ...hearEpoch(times, { resource, usedMs }) };
        for (const lap of laps) {
          usedMs += lap;
          times = { ...times, ...hearEpoch(times, { resource: ++resource, usedMs }) };
          // Said twice, or again from before, it is no other epoch.
          times = { ...times, ...hearEpoch(times, { resource, usedMs: usedMs + 3 }) };
          times = { ...times, ...hearEpoch(times, { resource: from, usedMs: usedMs + 4 }) };
        }
        const pace = paceOf(times);
        assert.ok(pace !== null);
        assert.equal(pace.startMs, startMs);
        assert.equal(pace.firstMs, startMs + firstMs);
        const mean = laps.reduce((sum, lap) => sum + lap, 0) / laps.length;
        if (laps.length === 0) assert.equal(pace.epochMs, undefined);
        else assert.ok(Math.abs((pace.epochMs ?? -1) - mean) < 1e-6);
      },
    ),
  );
  assert.equal(paceOf(noEpochs), null);
});

test("PACE-1: what an agent says of parts is never more than what counts of the whole", () => {
  const ms = fc.double({ min: 0, max: 1e9, noNaN: true });
  fc.assert(
    fc.property(
      ms,
      ms,
      fc.option(ms),
      fc.integer({ min: 1, max: 50 }),
      ms,
      (startMs, firstMs, epochMs, units, usedMs) => {
        const pace = epochMs === null ? { startMs, firstMs } : { startMs, firstMs, epochMs };
        const parts = epochsOf(pace, units, usedMs, 0.5);
        assert.ok(parts !== null);
        const rounding = units + 1;
        assert.ok(parts.began <= parts.first);
        assert.ok(parts.first + (parts.later ?? 0) * (units - 1) <= usedMs * 0.5 + rounding);
        assert.equal(parts.later !== undefined, epochMs !== null && units > 1);
      },
    ),
  );
  assert.equal(epochsOf({ startMs: 1, firstMs: 2 }, 0, 10, 1), null, "no epoch was made");
});
