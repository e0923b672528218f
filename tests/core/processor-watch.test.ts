/** PROBE-1: how much of a probe's time counts, whoever else uses the machine. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { ownTime } from "../../agent/capability/processor-watch.ts";
import { backendNames } from "../../protocol/capability.ts";

test("PROBE-1: where others held the processor the time it had it counts; the speed found is that of an idle machine", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("sparse" as const, "cpu" as const),
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      (backend, idleMs, share) => {
        const { isHeld, ownMs } = ownTime(backend, idleMs / share, idleMs);
        assert.ok(Math.abs(ownMs / idleMs - 1) < 0.12, `${ownMs} of ${idleMs}`);
        assert.equal(isHeld, idleMs < 0.9 * (idleMs / share));
      },
    ),
  );
});

test("PROBE-1: of what waits for a card, or has threads of its own, the clock on the wall counts", () => {
  for (const backend of backendNames) {
    if (backend === "sparse" || backend === "cpu") continue;
    assert.deepEqual(ownTime(backend, 100, 3), { wallMs: 100, ownMs: 100, isHeld: false });
  }
  assert.deepEqual(ownTime("sparse", 100, 350).ownMs, 100, "several threads");
  assert.equal(ownTime("sparse", 100, 0).ownMs, 100, "a clock that ticks coarsely");
});
