import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BackOff } from "../../system/back-off.ts";

test("BACKOFF-1: what keeps ending is started later each time, half a minute at most; a healthy run forgives all", () => {
  const backOff = new BackOff();
  const waits = Array.from({ length: 9 }, () => backOff.next(1_000));
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  assert.equal(backOff.next(3_600_000), 500);
  assert.equal(backOff.next(0), 1_000);
});

test("BACKOFF-2: no wait is shorter than the one before it but after a healthy run", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 120_000 }), { minLength: 1, maxLength: 60 }), (runs) => {
      const backOff = new BackOff();
      let before = 0;
      for (const ranMs of runs) {
        const waitMs = backOff.next(ranMs);
        assert.ok(waitMs >= 500 && waitMs <= 30_000);
        assert.ok(ranMs > 60_000 ? waitMs === 500 : waitMs >= before);
        before = waitMs;
      }
    }),
  );
});
