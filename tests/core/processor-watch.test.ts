/** PROBE-1, PROBE-13: how much of a probe's time counts, and how much others were in its way, whoever else uses the machine. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { othersShare, type Spent } from "../../agent/capability/others-share.ts";
import { loadOf, ownTime } from "../../agent/capability/processor-watch.ts";
import { backendNames } from "../../protocol/capability.ts";
import { readStolenTime, readThrottledTime } from "../../system/processor-time.ts";

test("PROBE-1: where others held the processor the time it had it counts; the speed found is that of an idle machine", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("sparse" as const, "cpu" as const, "wasm" as const),
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
    if (backend === "sparse" || backend === "cpu" || backend === "wasm") continue;
    assert.deepEqual(ownTime(backend, 100, 3), { wallMs: 100, ownMs: 100, isHeld: false });
  }
  assert.deepEqual(ownTime("sparse", 100, 350).ownMs, 100, "several threads");
  assert.equal(ownTime("sparse", 100, 0).ownMs, 100, "a clock that ticks coarsely");
});

const zero: Spent = { machine: { idle: 0, total: 0 }, own: 0, stolen: 0 };

/** Counters after `wallMs` on a machine of `cores`: each of the others, the hypervisor and the probe had its share. */
function after(
  from: Spent,
  { cores, others, own, stolen, wallMs }: Record<"cores" | "others" | "own" | "stolen" | "wallMs", number>,
): Spent {
  const all = cores * wallMs;
  const stolenMs = Math.round(all * stolen);
  const left = all - stolenMs;
  const ownMs = Math.round(left * own);
  const othersMs = Math.round((left - ownMs) * others);
  return {
    machine: {
      total: from.machine.total + left,
      idle: from.machine.idle + left - ownMs - othersMs,
    },
    own: from.own + ownMs,
    stolen: from.stolen + stolenMs,
  };
}

const share = fc.double({ min: 0, max: 1, noNaN: true });
const amount = fc.integer({ min: 0, max: 1e9 });
const run = fc.record({
  cores: fc.integer({ min: 1, max: 256 }),
  wallMs: fc.integer({ min: 60, max: 100_000 }),
  others: share,
  own: share,
  stolen: share,
});
const start = fc.record({
  machine: fc.record({ idle: amount, total: amount }),
  own: amount,
  stolen: amount,
});

test("PROBE-13: what others and a hypervisor took is told, whatever the probe itself used, on any number of processors", () => {
  fc.assert(
    fc.property(start, run, (from, one) => {
      const taken = one.stolen + (1 - one.stolen) * (1 - one.own) * one.others;
      const found = othersShare(from, after(from, one));
      // Counters are whole milliseconds.
      const tolerance = 4 / (one.cores * one.wallMs);
      assert.ok(found !== null && Math.abs(found - taken) < tolerance, `${found} and not ${taken}`);
    }),
  );
});

test("PROBE-13: of too little time, and of counters that go back, nothing is said; what is said lies between 0 and 1", () => {
  const one = { cores: 2, wallMs: 1_000, others: 0.5, own: 0.2, stolen: 0 };
  assert.equal(othersShare(zero, zero), null);
  assert.equal(othersShare(after(zero, one), zero), null);
  assert.equal(othersShare(zero, after(zero, { ...one, cores: 1, wallMs: 40 })), null);
  const counters = fc.record({
    machine: fc.record({ idle: amount, total: amount }),
    own: amount,
    stolen: amount,
  });
  fc.assert(
    fc.property(counters, counters, (before, later) => {
      const found = othersShare(before, later);
      assert.ok(found === null || (found >= 0 && found <= 1), `${found}`);
    }),
  );
});

test("PROBE-13: one that waited for its processor was in somebody's way, where the machine as a whole looks idle too", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...backendNames),
      fc.integer({ min: 1, max: 10_000 }),
      share,
      fc.option(share),
      (backend, wallMs, had, others) => {
        const time = ownTime(backend, wallMs, had * wallMs);
        const load = loadOf(time, others);
        assert.ok(load >= (others ?? 0) && load <= 1);
        if (time.isHeld) assert.ok(load >= 0.1 - 1e-9, `${load}`);
      },
    ),
  );
});

test("PROBE-13: the time a hypervisor took is read where the system says it", () => {
  assert.equal(readStolenTime("cpu  10 20 30 40 50 60 70 80 90 100\ncpu0 1 2 3 4 5 6 7 8 9 10\n"), 800);
  for (const stat of [
    "",
    "cpu",
    "cpu 1 2 3",
    "cpu a b c d e f g h",
    "intr 1 2 3 4 5 6 7 8 9",
    "cpu  1 2 3 4 5 6 7 -8",
  ])
    assert.equal(readStolenTime(stat), 0, stat);
});

test("PROBE-1: the time in which a container had used up what it may is read, of both kinds of limit", () => {
  assert.equal(readThrottledTime("usage_usec 9\nnr_throttled 3\nthrottled_usec 2500\nnr_bursts 0\n"), 2.5);
  assert.equal(readThrottledTime("nr_periods 8\nnr_throttled 3\nthrottled_time 7000000\n"), 7);
  for (const stat of [
    "",
    "usage_usec 9\n",
    "throttled_usec\n",
    "throttled_usec -3\n",
    "x_throttled_usec 3\n",
  ])
    assert.equal(readThrottledTime(stat), 0, stat);
});
