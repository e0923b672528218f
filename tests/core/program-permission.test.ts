/** Who may run programs where: asked by placement, asked again by the agent, and kept from the start. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { newAgentState } from "../../agent/core/agent-state.ts";
import { step } from "../../agent/core/step.ts";
import { programRates } from "../../agent/program/program-rate.ts";
import { agentPolicy } from "../../mesh/part/agent-policy.ts";
import { openPolicy, type Policy } from "../../protocol/capability.ts";
import { explainMismatch, match } from "../../protocol/match.ts";
import type { Requirement } from "../../protocol/requirement.ts";
import { capability } from "../support/fold.ts";
import { leaseFixture } from "../support/lease-fixture.ts";
import { fixtureCommand } from "../support/program-job.ts";

const folder = mkdtempSync(join(tmpdir(), "trialmesh-permission-"));
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const base = capability();
const machine = {
  ...base,
  python: "3.11.2",
  backends: [
    ...base.backends,
    { name: "none" as const, works: true, reason: null, version: null, dtypes: ["f32" as const] },
  ],
  rates: programRates(base.backends),
};
const policyOf = (programs: Policy["programs"]): Policy => ({ ...openPolicy(1), programs });
const why = (requester: string, programs: Policy["programs"], requirement: Requirement = {}) =>
  match({ agent: "box", requester, kind: "command/command", requirement }, machine, policyOf(programs)).map(
    explainMismatch,
  );

test("PROG-30: programs go only to agents whose owners allow them, and the reason says so", () => {
  assert.deepEqual(why("ada", "none"), ["leave to run programs: its owner runs no programs from others"]);
  assert.deepEqual(why("owner", "none"), ["leave to run programs: its owner runs no programs from others"]);
  assert.deepEqual(why("ada", "own"), [
    "leave to run programs: its owner runs programs of the mesh's owner only",
  ]);
  assert.deepEqual(why("owner", "own"), []);
  assert.deepEqual(why("ada", "any"), []);
  assert.deepEqual(
    match({ agent: "box", requester: "ada", kind: "work/alpha", requirement: {} }, base, policyOf("none")),
    [],
    "models of trialmesh are no programs",
  );
});

test("PROG-31: a program that needs Python goes where there is one that is new enough", () => {
  assert.deepEqual(why("ada", "any", { python: "3.11" }), []);
  assert.deepEqual(why("ada", "any", { python: "3" }), []);
  assert.deepEqual(why("ada", "any", { python: "3.9.20" }), []);
  assert.deepEqual(why("ada", "any", { python: "3.12" }), ["python: needs Python 3.12, has 3.11.2"]);
  const without = { ...machine, python: null };
  const request = { agent: "box", requester: "ada", kind: "command/command", requirement: { python: "3" } };
  assert.deepEqual(match(request, without, policyOf("any")).map(explainMismatch), [
    "python: needs Python 3, has none",
  ]);
});

test("PROG-32: the agent asks its own policy again, whatever the coordinator believes", () => {
  for (const [programs, requester, taken] of [
    ["none", "owner", false],
    ["own", "ada", false],
    ["own", "owner", true],
    ["any", "ada", true],
  ] as const) {
    const state = newAgentState("box", "box-1", policyOf(programs));
    step(state, { kind: "welcomed", epoch: 1, at: 1_000_000, askedAt: 0 }, 0);
    const lease = leaseFixture({ requester, task: "command", model: "command", program: fixtureCommand });
    const effects = step(state, { kind: "offer", epoch: 1, leases: [lease] }, 10);
    const [first] = effects;
    assert.ok(first?.kind === "report");
    assert.equal(first.report.kind, taken ? "accepted" : "refused", `${programs} for ${requester}`);
    // A lease that calls a program something else is no way around it.
    const disguised = { ...lease, fence: 2, task: "noop", model: "noop" };
    const [again] = step(state, { kind: "offer", epoch: 1, leases: [disguised] }, 10);
    assert.ok(again?.kind === "report");
    if (!taken) assert.equal(again.report.kind, "refused");
  }
});

test("PROG-33: what a first start allows is none unless the caller knows better; the owner's word is kept", () => {
  const valueOf = (flags: Parameters<typeof agentPolicy>[1], ...first: [Policy["programs"]?]) => {
    const policy = agentPolicy(folder, flags, ...first);
    return policy.ok ? policy.value.policy.programs : assert.fail(policy.refusal.message);
  };
  assert.equal(valueOf({}), "none");
  assert.equal(valueOf({ programs: "any" }), "any");
  assert.equal(valueOf({}, "own"), "any", "what is on file stays");
  assert.equal(valueOf({ programs: "none" }), "none");
});

test("PROG-35: beside the mesh's keys nobody runs anybody's programs, said now or kept from before", () => {
  const beside = (flags: Parameters<typeof agentPolicy>[1], hasKeys: boolean) =>
    agentPolicy(join(folder, "beside"), flags, "own", hasKeys);
  mkdirSync(join(folder, "beside"), { recursive: true });
  const narrowed = (flags: Parameters<typeof agentPolicy>[1]) => {
    const policy = beside(flags, true);
    assert.ok(policy.ok);
    assert.equal(policy.value.policy.programs, "own");
    assert.match(policy.value.note ?? "", /^--programs own is what holds: .*keys, which lie on this machine/);
  };
  narrowed({ programs: "any" });
  assert.ok(beside({ programs: "any" }, false).ok);
  narrowed({});
  assert.ok(beside({ programs: "own" }, true).ok);
  assert.ok(beside({}, true).ok);
});

test("APPROX-2: an attempt that went on from another backend's checkpoint says so in all it reports", () => {
  for (const exact of [true, false]) {
    const state = newAgentState("box", "box-1", openPolicy(1));
    step(state, { kind: "welcomed", epoch: 1, at: 1_000_000, askedAt: 0 }, 0);
    step(state, { kind: "offer", epoch: 1, leases: [leaseFixture()] }, 10);
    step(
      state,
      { kind: "fetched", fence: 1, files: { datasetPath: null, checkpointPath: null, parts: {} } },
      20,
    );
    step(state, { kind: "runner", event: { kind: "started", fence: 1, exact, usedMs: 0 } }, 30);
    const kept = {
      fence: 1,
      resource: 3,
      metrics: {},
      usedMs: 1,
      path: "/x",
      digest: "a".repeat(64),
      bytes: 1,
    };
    const [effect] = step(state, { kind: "runner", event: { kind: "finished", ...kept } }, 40);
    assert.ok(effect?.kind === "share" && effect.report.kind === "finished");
    assert.equal(effect.report.approximate, exact ? undefined : true);
  }
});
