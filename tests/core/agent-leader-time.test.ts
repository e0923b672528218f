/** What an agent makes of the leader's time: by what clock its leases end, whatever becomes of either side's clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { newAgentState, type AgentState } from "../../agent/core/agent-state.ts";
import { step } from "../../agent/core/step.ts";
import { openPolicy } from "../../protocol/capability.ts";
import { leaseFixture } from "../support/lease-fixture.ts";

const hourMs = 3_600_000;
const horizonMs = 15_000;
const tickMs = 100;

/** Registered in epoch 3, with a lease from the leader's time `at` on that began at once; our clock shows `now`. */
function running(at: number, now: number): AgentState {
  const state = newAgentState("box", "box-1", openPolicy(2));
  step(state, { kind: "beacon", epoch: 3, at }, now);
  step(state, { kind: "welcomed", epoch: 3, at, askedAt: now }, now);
  step(state, { kind: "offer", epoch: 3, leases: [leaseFixture({ at, horizonMs })] }, now);
  const files = { datasetPath: null, checkpointPath: null, parts: {} };
  step(state, { kind: "fetched", fence: 1, files }, now);
  return state;
}

const isKilled = (state: AgentState, now: number) => {
  step(state, { kind: "tick" }, now);
  return state.held.get(1)?.killed === true;
};

test("CLOCK-3: after its machine slept past the end of a lease, the first beacon ends what runs on it", () => {
  const state = running(1_000_000, 500);
  // Our clock stood still for an hour; the leader's went on.
  assert.equal(isKilled(state, 600), false);
  assert.deepEqual(step(state, { kind: "beacon", epoch: 3, at: 1_000_000 + hourMs }, 700), []);
  step(state, { kind: "tick" }, 800);
  assert.equal(isKilled(state, 800 + tickMs), true);
});

test("CLOCK-3: after the leader's machine slept its time is asked for again, and what it offers is taken", () => {
  const state = running(1_000_000, 500);
  const now = 500 + hourMs;
  step(state, { kind: "tick" }, now);
  assert.deepEqual(step(state, { kind: "beacon", epoch: 3, at: 1_000_100 }, now), [{ kind: "register" }]);
  assert.equal(state.clockIsStale, true);
  step(state, { kind: "welcomed", epoch: 3, at: 1_000_200, askedAt: now + 100 }, now + 120);
  assert.equal(state.clockIsStale, false);
  const offer = leaseFixture({ fence: 2, at: 1_000_300, horizonMs });
  const effects = step(state, { kind: "offer", epoch: 3, leases: [offer] }, now + 250);
  assert.deepEqual(
    effects.map((effect) => (effect.kind === "report" ? effect.report.kind : effect.kind)),
    ["accepted", "fetch"],
  );
  assert.deepEqual(
    step(state, { kind: "beacon", epoch: 3, at: 1_000_300 }, now + 250),
    [],
    "beacons that are on time ask for nothing",
  );
});

test("CLOCK-3: where beacons are always slow the leader is not asked with each of them", () => {
  const state = running(1_000_000, 500);
  let asked = 0;
  for (let now = 10_000; now < 70_000; now += 1_000) {
    const effects = step(state, { kind: "beacon", epoch: 3, at: 1_000_000 + now - 500 - 3_000 }, now);
    if (effects.length === 0) continue;
    asked++;
    step(state, { kind: "welcomed", epoch: 3, at: 1_000_000 + now - 500, askedAt: now }, now + 100);
  }
  assert.ok(asked >= 5 && asked <= 7, `asked ${asked} times in a minute`);
});

test("CLOCK-3: what another term says of the time moves no end of a lease", () => {
  const state = running(1_000_000, 500);
  const before = state.held.get(1)?.deadline;
  assert.deepEqual(step(state, { kind: "beacon", epoch: 4, at: 9_000_000 }, 600), [{ kind: "register" }]);
  step(state, { kind: "welcomed", epoch: 4, at: 9_000_000, askedAt: 600 }, 650);
  assert.equal(state.held.get(1)?.deadline, before);
});

test("CLOCK-3: whatever pace, sleep and delays there are, nothing is believed to end later than by one beacon's way", () => {
  const event = fc.record({
    passMs: fc.integer({ min: 100, max: 20_000 }),
    asleep: fc.boolean(),
    wayMs: fc.integer({ min: 0, max: 500 }),
  });
  fc.assert(
    fc.property(
      fc.double({ min: 0.98, max: 1.02, noNaN: true }),
      fc.array(event, { minLength: 1, maxLength: 30 }),
      (pace, events) => {
        let leader = 1_000_000;
        let own = 500;
        const state = running(leader, own);
        return events.every(({ asleep, passMs, wayMs }) => {
          leader += passMs;
          own += asleep ? 0 : passMs * pace;
          const written = leader;
          leader += wayMs;
          own += wayMs * pace;
          const [effect] = step(state, { kind: "beacon", epoch: 3, at: written }, own);
          if (effect?.kind === "register")
            step(state, { kind: "welcomed", epoch: 3, at: leader, askedAt: own }, own);
          // Our clock at this moment of the leader's, if the offset is right.
          return state.clockOffset <= own - leader + wayMs + 1e-6;
        });
      },
    ),
  );
});
