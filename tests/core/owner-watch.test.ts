/** The watch on an owner: how soon it learns of input, and what it makes of sources that fail. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { IdleReading } from "../../agent/owner/idle/idle-source.ts";
import { watchOwner } from "../../agent/owner/owner-watch.ts";
import type { Power } from "../../agent/owner/power.ts";
import type { Availability } from "../../agent/owner/availability.ts";
import { policySchema, type Policy } from "../../protocol/capability.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

function bench(policy: Policy) {
  const clock = new VirtualClock();
  const availabilities: [number, Availability["kind"]][] = [];
  const lines: string[] = [];
  const machine = {
    running: 0,
    lastInput: -3_600_000,
    /** Set to make the source fail. */
    reading: null as Promise<IdleReading> | null,
    power: { onBattery: null, celsius: null } as Power,
    asked: 0,
  };
  const source = {
    name: "fake",
    read: () => {
      machine.asked++;
      const ms = clock.monotonic() - machine.lastInput;
      return machine.reading ?? Promise.resolve({ kind: "idle" as const, source: "fake", ms });
    },
  };
  const watch = watchOwner({
    policy,
    clock,
    minuteOfDay: () => 0,
    diskShort: () => null,
    memFreeGiB: () => null,
    running: () => machine.running,
    sources: {
      idle: [source],
      power: () => Promise.resolve(machine.power),
      othersLoad: () => Promise.resolve(0),
    },
    onAvailability: ({ kind }) => availabilities.push([clock.monotonic(), kind]),
    log: (line) => lines.push(line),
  });
  return { clock, lines, machine, availabilities, watch };
}

const desktop = policySchema.parse({ slots: 1, idle: {} });

test("OWNER-2: while trials run, input is acted on within a second", async () => {
  const { clock, machine, availabilities, watch } = bench(desktop);
  await clock.advance(10_000);
  assert.equal(availabilities.at(-1)?.[1], "open");
  machine.running = 1;
  await clock.advance(60_000);
  machine.lastInput = clock.monotonic() + 1;
  await clock.advance(1_000);
  const [at, kind] = availabilities.at(-1) ?? assert.fail("no availability");
  assert.equal(kind, "suspended");
  assert.ok(at - machine.lastInput <= 1_000);
  assert.deepEqual(watch.seen.idleSource, "fake");
  watch.close();
});

test("a machine whose owner works and that runs nothing is asked seldom, and not at all once the watch is over", async () => {
  const { clock, machine, watch } = bench(desktop);
  machine.lastInput = 0;
  await clock.advance(1_000);
  const before = machine.asked;
  await clock.advance(20_000);
  assert.equal(machine.asked - before, 10);
  watch.close();
  await clock.advance(3_000);
  const ended = machine.asked;
  await clock.advance(20_000);
  assert.equal(machine.asked, ended);
});

test("OWNER-3: a source that never answers makes idleness unknown, and is not asked twice at once", async () => {
  const { clock, machine, availabilities, watch } = bench(desktop);
  await clock.advance(5_000);
  machine.running = 1;
  machine.reading = new Promise(() => undefined);
  await clock.advance(5_000);
  const asked = machine.asked;
  await clock.advance(10_000);
  watch.assess();
  assert.equal(availabilities.at(-1)?.[1], "suspended");
  assert.match(watch.seen.reason ?? "", /the last answer is more than 10 s old$/);
  assert.equal(machine.asked, asked);
  watch.close();
});

test("OWNER-5: a limit of temperature without a sensor is said once, and the battery is looked at", async () => {
  const { clock, lines, machine, availabilities, watch } = bench(
    policySchema.parse({ slots: 1, maxCelsius: 85 }),
  );
  await clock.advance(25_000);
  const warned = lines.filter((line) => /the limit of 85 °C has no effect/.test(line));
  assert.equal(warned.length, 1);
  machine.running = 1;
  machine.power = { onBattery: true, celsius: null };
  await clock.advance(10_000);
  assert.equal(availabilities.at(-1)?.[1], "suspended");
  assert.equal(machine.asked, 0, "nobody asks for input where the policy does not");
  watch.close();
});
