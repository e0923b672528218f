/** PROBE-15: when a running agent measures its machine again, on a machine whose use is made up. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { giveWayMs, measureAgain, pauseMinMs, quietMs } from "../../agent/capability/measure-again.ts";
import { loadMax } from "../../agent/capability/others-share.ts";
import { sleep } from "../../protocol/time/clock.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const minute = 60_000;
const takesMs = 20_000;

interface Measurement {
  readonly from: number;
  until: number;
  gaveWay: boolean;
}

/** A machine of which a test says who uses it. */
class Machine {
  readonly clock = new VirtualClock();
  readonly measured: Measurement[] = [];
  free = true;
  share: number | null = 0;
  wanted = true;
  /** What measuring shows: true where it was made under load again. */
  staysLoaded = false;
  fails = false;
  readonly end = measureAgain({
    clock: this.clock,
    isWanted: () => this.wanted,
    isFree: () => this.free,
    othersShare: () => this.share,
    measure: (signal) => this.#measure(signal),
  });

  async #measure(signal: AbortSignal): Promise<boolean> {
    const one: Measurement = { from: this.clock.monotonic(), until: Infinity, gaveWay: false };
    this.measured.push(one);
    while (!signal.aborted && this.clock.monotonic() < one.from + takesMs) await sleep(this.clock, 10);
    one.until = this.clock.monotonic();
    one.gaveWay = signal.aborted;
    if (signal.aborted || this.fails) return false;
    this.wanted = this.staysLoaded;
    return true;
  }
}

test("PROBE-15: a machine left alone for a minute is measured, once; one that is used, or whose use is not known, is not", async () => {
  const machine = new Machine();
  for (const share of [loadMax + 0.01, 1, null]) {
    machine.share = share;
    await machine.clock.advance(5 * minute);
  }
  machine.share = loadMax;
  machine.free = false;
  await machine.clock.advance(5 * minute);
  assert.equal(machine.measured.length, 0);
  machine.free = true;
  await machine.clock.advance(quietMs - 1);
  assert.equal(machine.measured.length, 0);
  await machine.clock.advance(2 * minute);
  assert.deepEqual(
    machine.measured.map(({ gaveWay }) => gaveWay),
    [false],
  );
  await machine.clock.advance(60 * minute);
  assert.equal(machine.measured.length, 1, "what is known well is left alone");
  machine.end();
});

test("PROBE-15: one that comes out loaded again is made less and less often; one that somebody else makes is asked for again", async () => {
  const machine = new Machine();
  machine.staysLoaded = true;
  await machine.clock.advance(24 * 60 * minute);
  const starts = machine.measured.map(({ from }) => from);
  const gaps = starts.slice(1).map((from, index) => from - (starts[index] ?? 0));
  assert.ok(gaps.length >= 5 && gaps.every((gap) => gap >= pauseMinMs), `${gaps.join(" ")}`);
  assert.ok(
    gaps.every((gap, index) => index === 0 || gap >= 1.9 * (gaps[index - 1] ?? 0)),
    `${gaps.join(" ")}`,
  );
  machine.end();

  const taken = new Machine();
  taken.fails = true;
  await taken.clock.advance(2 * quietMs);
  taken.fails = false;
  await taken.clock.advance(2 * quietMs + takesMs);
  assert.equal(taken.measured.length, 2);
  taken.end();
});

test("PROBE-15: an agent that ends ends what it measures", async () => {
  const machine = new Machine();
  await machine.clock.advance(quietMs + 10_000);
  assert.equal(machine.measured.length, 1);
  machine.end();
  await machine.clock.advance(1_000);
  assert.equal(machine.measured[0]?.gaveWay, true);
  assert.ok(await machine.clock.runUntilIdle(), "a timer goes on");
});

test("PROBE-15: whatever trials and others do, it begins after a quiet minute only, and gives way to what comes", async () => {
  const phase = fc.record({
    ms: fc.integer({ min: 1, max: 3 * minute }),
    free: fc.boolean(),
    share: fc.option(fc.double({ min: 0, max: 0.3, noNaN: true }), { freq: 10 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(phase, { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      async (phases, loaded) => {
        const machine = new Machine();
        machine.staysLoaded = loaded;
        const spans: { from: number; until: number; free: boolean; share: number | null }[] = [];
        for (const { free, ms, share } of phases) {
          machine.free = free;
          machine.share = share;
          const from = machine.clock.monotonic();
          await machine.clock.advance(ms);
          spans.push({ from, until: from + ms, free, share });
        }
        machine.end();
        for (const { from, gaveWay, until } of machine.measured) {
          // Looks are five seconds apart.
          const before = spans.filter((span) => span.from < from && span.until > from - quietMs + 5_000);
          const isLong = ({ from: begin, until: end }: { from: number; until: number }) =>
            end - begin >= 5_000;
          assert.ok(
            before.every((span) => span.free || !isLong(span)),
            `not free before ${from}`,
          );
          assert.ok(
            before.every((span) => !isLong(span) || (span.share !== null && span.share <= loadMax)),
            `used before ${from}`,
          );
          const busy = spans.find(
            (span) => !span.free && span.until > from && span.until - Math.max(span.from, from) > giveWayMs,
          );
          if (busy === undefined || busy.from > from + takesMs) continue;
          assert.ok(
            until <= Math.max(from, busy.from) + 2 * giveWayMs,
            `${from} to ${until}, a trial came at ${busy.from}`,
          );
          if (busy.from < from + takesMs - 2 * giveWayMs) assert.ok(gaveWay);
        }
      },
    ),
    { numRuns: 60 },
  );
});
