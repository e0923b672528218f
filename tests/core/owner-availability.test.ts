/** The owner's policy as a state machine: HTCondor's desktop scenario on a simulated clock, and what holds at any time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hoursProblem, withinHours } from "../../agent/owner/hours.ts";
import {
  firstOwnerState,
  ownerStep,
  type Circumstances,
  type OwnerState,
  type Availability,
} from "../../agent/owner/availability.ts";
import { policySchema } from "../../protocol/capability.ts";

const msPerMinute = 60_000;
const desktop = policySchema.parse({ slots: 2, idle: {} });
const calm: Circumstances = {
  minuteOfDay: 0,
  memFreeGiB: null,
  diskShort: null,
  idleness: { kind: "idle", source: "x11", ms: 0 },
  othersLoad: 0,
  onBattery: null,
  celsius: null,
  running: 1,
};

class Machine {
  state: OwnerState = firstOwnerState;
  readonly policy: typeof desktop;

  constructor(policy: typeof desktop) {
    this.policy = policy;
  }

  at(minute: number, change: Partial<Circumstances>): Availability {
    const { state, availability } = ownerStep(this.policy, this.state, minute * msPerMinute, {
      ...calm,
      ...change,
    });
    this.state = state;
    return availability;
  }
}

const idle = (minutes: number) => ({
  idleness: { kind: "idle", source: "x11", ms: minutes * msPerMinute } as const,
});

test("OWNER-1 to OWNER-4: the desktop scenario, minute by minute", () => {
  const machine = new Machine(desktop);
  const table: readonly (readonly [number, Partial<Circumstances>, Availability["kind"]])[] = [
    // The owner works; nothing runs here.
    [0, { ...idle(0), running: 0 }, "closed"],
    // Away for 14 minutes: not yet. For 15, but a build keeps the processors busy. Then all is quiet.
    [14, { ...idle(14), running: 0 }, "closed"],
    [15, { ...idle(15), running: 0, othersLoad: 0.31 }, "closed"],
    [16, { ...idle(16), running: 0, othersLoad: 0.3 }, "open"],
    [20, { ...idle(20) }, "open"],
    // A key is pressed.
    [21, { ...idle(0) }, "suspended"],
    [25.9, { ...idle(4.9) }, "suspended"],
    // Five quiet minutes: what runs goes on, nothing new comes.
    [26, { ...idle(5) }, "closed"],
    [35.9, { ...idle(14.9) }, "closed"],
    [36, { ...idle(15) }, "open"],
    // The owner is back to stay: ten minutes later trials leave.
    [40, { ...idle(0) }, "suspended"],
    [49.9, { ...idle(0.1) }, "suspended"],
    [50, { ...idle(0.1) }, "vacating"],
    [50.1, { ...idle(0.1), running: 0 }, "closed"],
    [65, { ...idle(15), running: 0 }, "open"],
    // A short peak of others changes nothing; two minutes of it suspend.
    [66, { ...idle(16), othersLoad: 0.9 }, "open"],
    [67, { ...idle(17), othersLoad: 0.1 }, "open"],
    [68, { ...idle(18), othersLoad: 0.9 }, "open"],
    [70, { ...idle(20), othersLoad: 0.9 }, "suspended"],
    [71, { ...idle(21), othersLoad: 0.2 }, "open"],
  ];
  assert.deepEqual(
    table.map(([minute, change]) => [minute, machine.at(minute, change).kind]),
    table.map(([minute, , kind]) => [minute, kind]),
  );
});

test("OWNER-3: nobody knowing whether the owner is away counts as his presence, and the sources asked are named", () => {
  const machine = new Machine(desktop);
  const why = "no source of idleness works here (desktop: xprintidle is not installed)";
  const unknown = { idleness: { kind: "unknown", why } as const };
  const closed = machine.at(0, { ...unknown, running: 0 });
  assert.equal(closed.kind, "closed");
  assert.equal(closed.reason, `nobody knows whether the owner is away: ${why}`);
  machine.at(20, { ...idle(20), running: 0 });
  assert.equal(machine.at(21, unknown).kind, "suspended");
  assert.equal(machine.at(31, unknown).kind, "vacating");
});

const someIdleness = fc.oneof(
  fc.constant(null),
  fc.constant({ kind: "unknown" as const, why: "nobody answers" }),
  fc.integer({ min: 0, max: 40 }).map((count) => idle(count).idleness),
);
const someCircumstances = fc.record({
  minuteOfDay: fc.integer({ min: 0, max: 1439 }),
  memFreeGiB: fc.option(fc.integer({ min: 0, max: 8 })),
  idleness: someIdleness,
  othersLoad: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  onBattery: fc.option(fc.boolean()),
  celsius: fc.option(fc.integer({ min: 20, max: 110 })),
  running: fc.integer({ min: 0, max: 2 }),
});
const somePolicy = fc
  .record({
    leaveFreeMemGiB: fc.integer({ min: 0, max: 4 }),
    hours: fc.option(fc.constant([{ from: "22:00", to: "07:00" }])),
    onBattery: fc.boolean(),
    maxCelsius: fc.option(fc.constant(85)),
  })
  .map((part) => policySchema.parse({ slots: 2, idle: {}, ...part }));

test("OWNER-1 to OWNER-3: whatever happens, in whatever order", () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), someCircumstances), { maxLength: 40 });
  fc.assert(
    fc.property(somePolicy, steps, (policy, moments) => {
      const machine = new Machine(policy);
      let minute = 0;
      for (const [later, at] of moments) {
        minute += later;
        const { kind, reason } = machine.at(minute, at);
        assert.equal(reason === null, kind === "open");
        const idleMinutes = at.idleness?.kind === "idle" ? at.idleness.ms / msPerMinute : null;
        const taken = policy.hours !== null && !withinHours(policy.hours, at.minuteOfDay);
        if (kind === "open") {
          assert.ok(idleMinutes !== null && idleMinutes >= 15, "OWNER-1, OWNER-3");
          assert.ok(!taken && (at.onBattery !== true || policy.onBattery));
          assert.ok(at.celsius === null || policy.maxCelsius === null || at.celsius <= policy.maxCelsius);
          assert.ok(at.memFreeGiB === null || at.memFreeGiB >= policy.leaveFreeMemGiB);
        }
        const busy = idleMinutes === null || idleMinutes < 5 || (at.onBattery === true && !policy.onBattery);
        if (at.running > 0 && busy) assert.ok(kind === "suspended" || kind === "vacating", "OWNER-2");
        if (at.running > 0 && taken) assert.equal(kind, "vacating");
        if (at.running === 0) assert.ok(kind === "open" || kind === "closed");
      }
    }),
    { numRuns: 300 },
  );
});

test("OWNER-4: nothing stays suspended for longer than the owner's patience", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 30 }), (gapsS) => {
      const machine = new Machine(desktop);
      let minute = 20;
      machine.at(minute, idle(20));
      let since: number | null = null;
      for (const gapS of gapsS) {
        minute += gapS / 60;
        const { kind } = machine.at(minute, idle(0));
        since ??= minute;
        assert.equal(kind, minute - since >= 10 ? "vacating" : "suspended");
      }
    }),
    { numRuns: 100 },
  );
});

test("OWNER-5: battery and heat suspend and drive out like input; unknown ones do not", () => {
  const policy = policySchema.parse({ slots: 1, maxCelsius: 85 });
  const machine = new Machine(policy);
  assert.equal(machine.at(0, {}).kind, "open");
  assert.equal(machine.at(1, { onBattery: true }).kind, "suspended");
  assert.equal(machine.at(11, { onBattery: true }).kind, "vacating");
  assert.equal(machine.at(12, { onBattery: false }).kind, "open");
  assert.equal(machine.at(13, { celsius: 86 }).kind, "suspended");
  assert.equal(machine.at(14, { celsius: 82 }).kind, "suspended", "it has to cool first");
  assert.equal(machine.at(15, { celsius: 80 }).kind, "open");
  const careless = new Machine(policySchema.parse({ slots: 1, onBattery: true }));
  assert.equal(careless.at(0, { onBattery: true, celsius: 120 }).kind, "open");
});

test("OWNER-6: outside the owner's hours trials leave; little memory closes at once, and drives out when it lasts", () => {
  const policy = policySchema.parse({
    slots: 1,
    hours: [{ from: "22:00", to: "07:00" }],
    leaveFreeMemGiB: 2,
  });
  const machine = new Machine(policy);
  assert.equal(machine.at(0, { minuteOfDay: 23 * 60, memFreeGiB: 4 }).kind, "open");
  assert.equal(machine.at(1, { minuteOfDay: 6 * 60 + 59, memFreeGiB: null }).kind, "open");
  const over = machine.at(2, { minuteOfDay: 7 * 60, memFreeGiB: 4 });
  assert.deepEqual(over, { kind: "vacating", reason: "outside the owner's hours (22:00-07:00)" });
  assert.equal(machine.at(3, { memFreeGiB: 1 }).kind, "closed");
  assert.equal(machine.at(3.9, { memFreeGiB: 1 }).kind, "closed");
  assert.equal(machine.at(4, { memFreeGiB: 1 }).kind, "vacating");
  assert.match(machine.at(4.1, { memFreeGiB: 1, running: 0 }).reason ?? "", /2 GiB the owner wants left/);
});

test("OWNER-7: contradictory hours are named with what would be right", () => {
  const problems = (spans: string) =>
    hoursProblem(
      spans.split(",").map((span) => {
        const [from = "", to = ""] = span.split("-");
        return { from, to };
      }),
    );
  assert.equal(problems("22:00-07:00,12:00-13:00"), null);
  assert.equal(problems("08:00-12:00,12:00-13:00"), null, "one may begin where the other ends");
  assert.match(problems("09:00-09:00") ?? "", /^09:00-09:00 ends where it begins; write always/);
  assert.match(
    problems("08:00-12:00,22:00-08:01") ?? "",
    /^08:00-12:00 and 22:00-08:01 overlap; write them as one span/,
  );
  assert.match(problems("23:00-02:00,01:00-03:00") ?? "", /overlap/);
});
