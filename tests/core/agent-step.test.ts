import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AgentEffect } from "../../agent/core/agent-effect.ts";
import type { AgentInput } from "../../agent/core/agent-input.ts";
import { newAgentState, type AgentState } from "../../agent/core/agent-state.ts";
import { step } from "../../agent/core/step.ts";
import { isAtWork, usedMs } from "../../agent/core/used-time.ts";
import { openPolicy } from "../../protocol/capability.ts";
import type { Lease } from "../../protocol/order.ts";
import { digestA } from "../support/fold.ts";
import { leaseFixture } from "../support/lease-fixture.ts";

const policy = openPolicy(2);

function registered(): AgentState {
  const state = newAgentState("box", "box-1", policy);
  step(state, { kind: "beacon", epoch: 3, at: 0 }, 0);
  // Coordinator's time 1,000,000 was read at some moment after our monotonic 500.
  step(state, { kind: "welcomed", epoch: 3, at: 1_000_000, askedAt: 500 }, 520);
  return state;
}

const offer = (change: Partial<Lease> = {}, epoch = 3): AgentInput => ({
  kind: "offer",
  epoch,
  leases: [leaseFixture(change)],
});
const kinds = (effects: readonly AgentEffect[]) =>
  effects.map((e) => (e.kind === "report" ? `report ${e.report.kind}` : e.kind));

function running(): AgentState {
  const state = registered();
  step(state, offer(), 600);
  step(
    state,
    { kind: "fetched", fence: 1, files: { datasetPath: null, checkpointPath: null, parts: {} } },
    610,
  );
  return state;
}

const at = { fence: 1, resource: 1, metrics: { accuracy: 0.5 }, usedMs: 100 };
const file = { path: "checkpoint-1", digest: digestA, bytes: 5 };

test("AGENT-2: orders of a lower epoch do nothing; a higher one makes the agent register first", () => {
  const state = registered();
  assert.deepEqual(step(state, offer({}, 2), 600), []);
  assert.deepEqual(kinds(step(state, offer({}, 4), 600)), ["register"]);
  assert.deepEqual(step(state, offer({}, 3), 600), []);
  assert.equal(state.held.size, 0);
});

test("AGENT-3: a fence is taken up once, however often it is offered", () => {
  const state = registered();
  assert.deepEqual(kinds(step(state, offer(), 600)), ["report accepted", "fetch"]);
  assert.deepEqual(step(state, offer(), 700), []);
  step(
    state,
    { kind: "fetched", fence: 1, files: { datasetPath: null, checkpointPath: null, parts: {} } },
    700,
  );
  step(
    state,
    { kind: "runner", event: { kind: "failed", fence: 1, reason: "x", retryable: false, usedMs: 1 } },
    800,
  );
  assert.deepEqual(step(state, offer(), 900), []);
});

test("AGENT-3: an offer to an earlier run of this agent is left alone", () => {
  assert.deepEqual(step(registered(), offer({ incarnation: "box-0" }), 600), []);
});

test("AGENT-1: near the horizon's end the runner winds down, at its end it is killed, with nobody to ask", () => {
  const state = running();
  // The horizon counts from coordinator's 1,000,000, which was not before our 500.
  assert.deepEqual(step(state, { kind: "tick" }, 9_000), []);
  assert.deepEqual(step(state, { kind: "tick" }, 9_600), [{ kind: "stop", fence: 1, how: "checkpoint" }]);
  assert.deepEqual(step(state, { kind: "tick" }, 10_400), []);
  assert.deepEqual(step(state, { kind: "tick" }, 10_500), [{ kind: "stop", fence: 1, how: "kill" }]);
  assert.deepEqual(step(state, { kind: "tick" }, 11_000), []);
});

test("AGENT-1: an extension moves the end, a repeated older one does not move it back", () => {
  const state = running();
  const extend = (horizonMs: number): AgentInput => ({
    kind: "extend",
    epoch: 3,
    leases: [{ fence: 1, at: 1_005_000, horizonMs }],
  });
  step(state, extend(10_000), 5_000);
  step(state, extend(1_000), 5_100);
  assert.deepEqual(step(state, { kind: "tick" }, 11_000), []);
  assert.deepEqual(kinds(step(state, { kind: "tick" }, 15_000)), ["stop"]);
});

test("AGENT-1: an offer that comes after its horizon starts nothing", () => {
  assert.deepEqual(kinds(step(registered(), offer(), 10_500)), ["report refused"]);
});

test("AGENT-4: an outcome is reported only after its artifact is in the mesh", () => {
  const state = running();
  const effects = step(
    state,
    { kind: "runner", event: { kind: "finished", ...at, resource: 3, ...file } },
    2_000,
  );
  assert.deepEqual(kinds(effects), ["share"]);
  const [share] = effects;
  assert.ok(share?.kind === "share");
  assert.equal(state.held.size, 1);
  assert.deepEqual(kinds(step(state, { kind: "shared", report: share.report }, 2_100)), ["report finished"]);
  assert.equal(state.held.size, 0);
});

test("checkpoints are shared now and then, not at every epoch, and what is not finite is left out", () => {
  const state = running();
  const checkpoint = (resource: number): AgentInput => ({
    kind: "runner",
    event: { kind: "checkpoint", ...at, metrics: { accuracy: 0.5, loss: NaN }, resource, ...file },
  });
  assert.deepEqual(step(state, checkpoint(1), 700), []);
  const [share] = step(state, checkpoint(2), 4_000);
  assert.ok(share?.kind === "share" && share.report.kind === "checkpoint");
  assert.deepEqual(share.report.metrics, { accuracy: 0.5 });
  assert.deepEqual(step(state, checkpoint(2), 4_100), []);
});

test("a checkpoint that came too soon to be shared is shared once that is due, though nothing follows it", () => {
  const state = running();
  step(state, { kind: "runner", event: { kind: "checkpoint", ...at, ...file } }, 700);
  assert.deepEqual(step(state, { kind: "tick" }, 2_599), []);
  assert.deepEqual(kinds(step(state, { kind: "tick" }, 2_600)), ["share"]);
  assert.deepEqual(step(state, { kind: "tick" }, 5_000), []);
});

test("the owner's word is asked again at the agent: slots, requesters, availability", () => {
  const full = registered();
  full.policy = { ...policy, slots: 0 };
  assert.deepEqual(kinds(step(full, offer(), 600)), ["report refused"]);
  const picky = registered();
  picky.policy = { ...policy, requesters: ["bob"] };
  assert.deepEqual(kinds(step(picky, offer(), 600)), ["report refused"]);
  const closed = running();
  const availability = { kind: "closed", reason: "the owner was here lately" } as const;
  assert.deepEqual(step(closed, { kind: "owner", availability }, 700), [], "what runs goes on");
  const [refused] = step(closed, offer({ fence: 2 }), 800);
  assert.ok(refused?.kind === "report" && refused.report.kind === "refused");
  assert.equal(refused.report.reason, availability.reason);
});

test("a cancelled attempt ends after its epoch, and is killed when it does not", () => {
  const state = running();
  const cancel: AgentInput = { kind: "cancel", epoch: 3, fences: [1] };
  assert.deepEqual(step(state, cancel, 1_000), [{ kind: "stop", fence: 1, how: "checkpoint" }]);
  assert.deepEqual(step(state, cancel, 1_100), []);
  assert.deepEqual(step(state, { kind: "tick" }, 6_000), [{ kind: "stop", fence: 1, how: "kill" }]);
  const effects = step(
    state,
    { kind: "runner", event: { kind: "stopped", ...at, path: null, digest: null, bytes: 0 } },
    6_100,
  );
  assert.deepEqual(kinds(effects), ["report stopped"]);
});

test("a cancel for a fence that never came is answered, so that its reservation resolves", () => {
  const state = registered();
  const cancel: AgentInput = { kind: "cancel", epoch: 3, fences: [9] };
  assert.deepEqual(kinds(step(state, cancel, 600)), ["report stopped"]);
  assert.deepEqual(step(state, cancel, 700), []);
  assert.deepEqual(step(state, offer({ fence: 9 }), 800), []);
});

test("a patient cancel waits for the epoch under way as long as its lease is extended, and no longer", () => {
  const state = running();
  const cancel: AgentInput = { kind: "cancel", epoch: 3, fences: [1], how: "checkpoint" };
  assert.deepEqual(step(state, cancel, 1_000), [{ kind: "stop", fence: 1, how: "checkpoint" }]);
  const extend = { fence: 1, at: 1_005_000, horizonMs: 60_000 };
  step(state, { kind: "extend", epoch: 3, leases: [extend] }, 5_000);
  assert.deepEqual(step(state, { kind: "tick" }, 10_400), []);
  assert.deepEqual(step(state, { kind: "tick" }, 10_500), []);
  assert.deepEqual(step(state, { kind: "tick" }, 65_400), []);
  assert.deepEqual(step(state, { kind: "tick" }, 65_500), [{ kind: "stop", fence: 1, how: "kill" }]);
});

test("an impatient cancel after a patient one shortens the patience", () => {
  const state = running();
  step(state, { kind: "cancel", epoch: 3, fences: [1], how: "checkpoint" }, 1_000);
  assert.deepEqual(step(state, { kind: "cancel", epoch: 3, fences: [1], how: "soon" }, 1_500), []);
  assert.deepEqual(step(state, { kind: "tick" }, 6_400), []);
  assert.deepEqual(step(state, { kind: "tick" }, 6_500), [{ kind: "stop", fence: 1, how: "kill" }]);
});

test("METER-5: time used grows while the job runs and says nothing, not while it stands still, and never falls", () => {
  const state = running();
  const held = state.held.get(1) ?? assert.fail("it is held");
  const used = (now: number) => [usedMs(held, now), isAtWork(held)];
  assert.deepEqual(used(5_000), [0, false], "it is being started");
  step(state, { kind: "runner", event: { kind: "started", fence: 1, exact: true, usedMs: 40 } }, 5_000);
  assert.deepEqual(used(9_000), [4_040, true]);
  // What the runner says came on its way here: the time since does not go back.
  step(state, { kind: "runner", event: { kind: "epoch", ...at, usedMs: 4_500 } }, 9_600);
  assert.deepEqual(used(9_600), [4_640, true]);
  step(state, { kind: "runner", event: { kind: "epoch", ...at, usedMs: 5_100 } }, 10_000);
  assert.deepEqual(used(10_000), [5_100, true], "it measures closer by");

  const suspended = { kind: "suspended", reason: "the owner is there" } as const;
  step(state, { kind: "owner", availability: suspended }, 11_000);
  assert.deepEqual(used(99_000), [6_100, false]);
  step(state, { kind: "runner", event: { kind: "epoch", ...at, usedMs: 6_050 } }, 11_010);
  assert.deepEqual(used(99_000), [6_100, false], "an event on its way does not wake it");
  step(state, { kind: "owner", availability: { kind: "open", reason: null } }, 12_000);
  assert.deepEqual(used(12_500), [6_600, true]);
  step(
    state,
    { kind: "runner", event: { kind: "finished", ...at, ...file, resource: 3, usedMs: 6_700 } },
    12_700,
  );
  assert.deepEqual(used(60_000), [6_800, false], "it is being handed over");
});

test("METER-5: from when its process is gone no time is used, however long its end is read for", () => {
  const state = running();
  const held = state.held.get(1) ?? assert.fail("it is held");
  step(state, { kind: "runner", event: { kind: "started", fence: 1, exact: true, usedMs: 0 } }, 5_000);
  step(state, { kind: "runner", event: { kind: "exited", fence: 1, usedMs: 30 } }, 5_020);
  assert.deepEqual([usedMs(held, 9_000), isAtWork(held)], [30, false]);
  step(state, { kind: "runner", event: { kind: "epoch", ...at, usedMs: 30 } }, 8_000);
  step(state, { kind: "owner", availability: { kind: "suspended", reason: "busy" } }, 8_100);
  step(state, { kind: "owner", availability: { kind: "open", reason: null } }, 8_200);
  assert.deepEqual([usedMs(held, 9_000), isAtWork(held)], [30, false]);
});

test("METER-5: no end tells of less than a heartbeat has told before it, whenever the runner's words arrive", () => {
  const said = fc.record({
    kind: fc.constantFrom("epoch" as const, "checkpoint" as const, "exited" as const),
    afterMs: fc.nat(4_000),
    lateMs: fc.nat(3_000),
  });
  fc.assert(
    fc.property(
      fc.array(said, { maxLength: 8 }),
      fc.constantFrom("finished" as const, "stopped" as const, "failed" as const),
      fc.nat(3_000),
      (words, ending, lateMs) => {
        const state = running();
        const held = state.held.get(1) ?? assert.fail("it is held");
        let [now, ran] = [5_000, 0];
        step(state, { kind: "runner", event: { kind: "started", fence: 1, exact: true, usedMs: 0 } }, now);
        for (const { afterMs, kind, lateMs: late } of words) {
          ran += afterMs;
          now = Math.max(now, 5_000 + ran + late);
          const event =
            kind === "exited"
              ? ({ kind, fence: 1, usedMs: ran } as const)
              : ({ ...at, ...file, kind, usedMs: ran } as const);
          step(state, { kind: "runner", event }, now);
          if (kind === "exited") break;
        }
        now += lateMs;
        const told = usedMs(held, now);
        const event =
          ending === "failed"
            ? ({ kind: ending, fence: 1, reason: "it failed", retryable: false, usedMs: ran } as const)
            : ({ ...at, ...file, kind: ending, resource: 3, usedMs: ran } as const);
        const reports = step(state, { kind: "runner", event }, now).flatMap((effect) =>
          effect.kind === "report" || effect.kind === "share" ? effect.report : [],
        );
        const last = reports.at(-1);
        assert.ok(last !== undefined && "usedMs" in last && last.usedMs >= told, JSON.stringify(last));
      },
    ),
  );
});

test("METER-5: one that is suspended before it has begun counts from when it has", () => {
  const state = running();
  const held = state.held.get(1) ?? assert.fail("it is held");
  step(state, { kind: "owner", availability: { kind: "suspended", reason: "busy" } }, 700);
  step(state, { kind: "runner", event: { kind: "started", fence: 1, exact: true, usedMs: 10 } }, 710);
  assert.deepEqual([usedMs(held, 5_000), isAtWork(held)], [10, false]);
  step(state, { kind: "owner", availability: { kind: "open", reason: null } }, 6_000);
  assert.deepEqual([usedMs(held, 6_100), isAtWork(held)], [110, true]);
});

test("AGENT-1: a checkpoint that cannot be stored leaves its attempt under its lease; a last one fails it", () => {
  const state = running();
  const report = { kind: "checkpoint", ...at, digest: digestA, bytes: 5 } as const;
  assert.deepEqual(step(state, { kind: "share-failed", report, reason: "no such file" }, 700), []);
  assert.equal(state.held.size, 1);
  step(state, { kind: "tick" }, 600_000);
  assert.deepEqual(kinds(step(state, { kind: "tick" }, 600_100)), ["stop"], "it still ends with its horizon");
  const last = running();
  step(last, { kind: "runner", event: { kind: "finished", ...at, ...file } }, 700);
  const finished = { ...report, kind: "finished" } as const;
  const effects = step(last, { kind: "share-failed", report: finished, reason: "no such file" }, 710);
  assert.deepEqual(kinds(effects), ["report failed"]);
  assert.equal(last.held.size, 0);
});
