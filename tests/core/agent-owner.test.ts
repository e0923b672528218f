/** What an agent does with its attempts when its owner comes, stays and goes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AgentEffect } from "../../agent/core/agent-effect.ts";
import type { AgentInput } from "../../agent/core/agent-input.ts";
import { newAgentState, type AgentState } from "../../agent/core/agent-state.ts";
import { step } from "../../agent/core/step.ts";
import type { Availability } from "../../agent/owner/availability.ts";
import { openPolicy } from "../../protocol/capability.ts";
import { digestA } from "../support/fold.ts";
import { leaseFixture } from "../support/lease-fixture.ts";

const lease = leaseFixture({ from: { resource: 2, digest: digestA }, target: 9, horizonMs: 20_000 });
const file = { path: "file", digest: digestA, bytes: 5, metrics: { accuracy: 0.5 } };
const owner = (kind: Availability["kind"]): AgentInput => ({
  kind: "owner",
  availability: { kind, reason: kind === "open" ? null : "the owner is here" },
});
const fetched: AgentInput = {
  kind: "fetched",
  fence: 1,
  files: { datasetPath: null, checkpointPath: null, parts: {} },
};
const tick: AgentInput = { kind: "tick" };
const event = (resource: number, usedMs: number): AgentInput => ({
  kind: "runner",
  event: { kind: "checkpoint", fence: 1, resource, usedMs, ...file },
});
const killed: AgentInput = {
  kind: "runner",
  event: { kind: "stopped", fence: 1, resource: 4, usedMs: 9_999, ...file },
};
const told = (effects: readonly AgentEffect[]) =>
  effects.map((effect) =>
    effect.kind === "report" || effect.kind === "share"
      ? `${effect.kind} ${effect.report.kind}`
      : effect.kind === "stop"
        ? `stop ${effect.how}`
        : effect.kind,
  );
const reportIn = (effects: readonly AgentEffect[]) => {
  const [effect] = effects;
  assert.ok(effect?.kind === "report" || effect?.kind === "share");
  assert.ok(effect.report.kind === "stopped");
  return effect.report;
};

/** At 600 ms it runs, with a horizon until 20,000 ms. */
function running(canSuspend = true): AgentState {
  const state = newAgentState("box", "box-1", openPolicy(2), { canSuspend });
  step(state, { kind: "welcomed", epoch: 3, at: 1_000_000, askedAt: 0 }, 0);
  step(state, { kind: "offer", epoch: 3, leases: [lease] }, 500);
  assert.deepEqual(told(step(state, fetched, 600)), ["start"]);
  return state;
}

test("AGENT-5: on the owner's input what runs stands still at once, its last checkpoint goes to the mesh, and it goes on once he is gone", () => {
  const state = running();
  step(state, event(3, 1_000), 1_600);
  assert.deepEqual(told(step(state, owner("suspended"), 1_700)), ["suspend", "share checkpoint"]);
  assert.deepEqual(step(state, owner("suspended"), 1_800), [], "once");
  assert.equal(state.held.get(1)?.suspended, true);
  assert.deepEqual(told(step(state, owner("closed"), 5_000)), ["resume"]);
  assert.deepEqual(step(state, owner("open"), 5_100), []);
});

test("AGENT-5: what is fetched meanwhile starts only when trials go on", () => {
  const state = newAgentState("box", "box-1", openPolicy(2));
  step(state, { kind: "welcomed", epoch: 3, at: 1_000_000, askedAt: 0 }, 0);
  step(state, { kind: "offer", epoch: 3, leases: [lease] }, 500);
  assert.deepEqual(step(state, owner("suspended"), 550), []);
  assert.deepEqual(step(state, fetched, 600), []);
  assert.deepEqual(told(step(state, owner("open"), 700)), ["start"]);
});

test("AGENT-6: driven out of suspension it is killed as it stands, and paid for up to its last checkpoint", () => {
  const state = running();
  step(state, event(3, 1_000), 1_600);
  step(state, owner("suspended"), 1_700);
  assert.deepEqual(told(step(state, owner("vacating"), 9_000)), ["stop kill"]);
  const report = reportIn(step(state, killed, 9_100));
  assert.deepEqual([report.why, report.resource, report.usedMs, report.digest], ["owner", 3, 1_000, digestA]);
});

test("AGENT-6: with no checkpoint of its own yet, nothing is paid and nothing is lost of where it came from", () => {
  const state = running();
  step(state, owner("suspended"), 1_700);
  step(state, owner("vacating"), 9_000);
  const gone = {
    kind: "stopped",
    fence: 1,
    resource: 2,
    usedMs: 900,
    metrics: {},
    path: null,
    digest: null,
    bytes: 0,
  } as const;
  const report = reportIn(step(state, { kind: "runner", event: gone }, 9_100));
  assert.deepEqual([report.resource, report.usedMs, report.digest], [2, 0, null]);
});

test("AGENT-6: when the owner's hours end, trials have until the prepaid deadline to reach a checkpoint", () => {
  const state = running();
  assert.deepEqual(told(step(state, owner("vacating"), 2_000)), ["stop checkpoint"]);
  assert.deepEqual(step(state, owner("vacating"), 8_000), []);
  assert.deepEqual(step(state, tick, 19_900), []);
  assert.deepEqual(told(step(state, tick, 20_000)), ["stop kill"]);
});

test("AGENT-1: suspended, nothing outlives its horizon either; it needs no wind-down", () => {
  const state = running();
  step(state, owner("suspended"), 1_700);
  assert.deepEqual(step(state, tick, 19_900), []);
  assert.deepEqual(told(step(state, tick, 20_000)), ["stop kill"]);
  const report = reportIn(step(state, killed, 20_100));
  assert.deepEqual([report.why, report.usedMs], ["horizon", 0], "the time lost to the owner is not charged");
});

test("AGENT-5: what is cancelled while it stands still, or suspended while it ends, is killed instead of run on", () => {
  const cancelled = running();
  step(cancelled, owner("suspended"), 1_700);
  assert.deepEqual(told(step(cancelled, { kind: "cancel", epoch: 3, fences: [1] }, 1_800)), ["stop kill"]);
  const ending = running();
  step(ending, { kind: "cancel", epoch: 3, fences: [1] }, 1_700);
  assert.deepEqual(told(step(ending, owner("suspended"), 1_800)), ["stop kill"]);
});

test("AGENT-5: where no process can be made to stand still, input drives trials out at once", () => {
  const state = running(false);
  step(state, event(3, 1_000), 1_600);
  assert.deepEqual(told(step(state, owner("suspended"), 1_700)), ["stop kill"]);
  const report = reportIn(step(state, killed, 1_800));
  assert.deepEqual([report.why, report.usedMs], ["owner", 1_000]);
});
