/** SERVED: what an agent makes of orders for its replicas, as data. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AgentEffect } from "../../agent/core/agent-effect.ts";
import type { AgentInput } from "../../agent/core/agent-input.ts";
import { newAgentState, type AgentState } from "../../agent/core/agent-state.ts";
import { replicaStateOf } from "../../agent/core/hold-replica.ts";
import { step } from "../../agent/core/step.ts";
import { openPolicy } from "../../protocol/capability.ts";
import type { Serving } from "../../protocol/deployment.ts";
import { digestA } from "../support/fold.ts";
import { leaseFixture } from "../support/lease-fixture.ts";

const servingOf = (revision: number): Serving => ({
  deployment: "live",
  revision,
  versions: [
    {
      ...{ role: "incumbent", share: 1, model: "trec", version: revision, artifact: digestA },
      ...{ task: "text-classification", dataset: null },
    },
  ],
});
const files = { datasetPath: null, checkpointPath: null, parts: {} };
const offer: AgentInput = { kind: "offer", epoch: 3, leases: [leaseFixture({ serving: servingOf(1) })] };
const serve = (revision: number, epoch = 3): AgentInput => ({
  kind: "serve",
  epoch,
  replicas: [{ fence: 1, serving: servingOf(revision) }],
});
const said = (revision: number, trouble?: string): AgentInput => ({
  kind: "runner",
  event: {
    ...{ kind: "serving", fence: 1, port: 4_000, secret: "00" },
    replica: { revision, requests: 0, failed: 0, ...(trouble === undefined ? {} : { trouble }) },
  },
});
const kinds = (effects: readonly AgentEffect[]) => effects.map(({ kind }) => kind);

function registered(isReached = true): AgentState {
  const state = newAgentState("box", "box-1", openPolicy(2), { isReached });
  step(state, { kind: "beacon", epoch: 3, at: 0 }, 0);
  step(state, { kind: "welcomed", epoch: 3, at: 1_000_000, askedAt: 500 }, 520);
  return state;
}

function answering(): AgentState {
  const state = registered();
  step(state, offer, 600);
  step(state, { kind: "fetched", fence: 1, files }, 610);
  step(state, { kind: "runner", event: { kind: "started", fence: 1, exact: true, usedMs: 5 } }, 620);
  assert.deepEqual(kinds(step(state, said(1), 630)), ["beat"]);
  return state;
}

test("SERVED-5: an agent that nobody can connect to takes no replica", () => {
  const [effect] = step(registered(false), offer, 600);
  assert.ok(effect?.kind === "report" && effect.report.kind === "refused");
  assert.match(effect.report.reason, /nobody can connect/);
});

test("SERVED-1: an order is fetched for, handed on once its files are here, and what could not be fetched is said and tried again later", () => {
  const state = answering();
  assert.deepEqual(kinds(step(state, serve(2), 700)), ["bring"]);
  assert.deepEqual(step(state, serve(2), 750), []);
  const reason = "nobody has it";
  const lost = { ok: false, reason } as const;
  const failed = step(state, { kind: "brought", fence: 1, serving: servingOf(2), brought: lost }, 800);
  assert.deepEqual(kinds(failed), ["beat"]);
  const replica = state.held.get(1)?.replica ?? null;
  assert.match((replica === null ? null : replicaStateOf(replica).trouble) ?? "", /nobody has it/);
  assert.deepEqual(step(state, serve(2), 1_000), []);
  assert.deepEqual(kinds(step(state, serve(2), 6_000)), ["bring"]);
  const got = { ok: true, parts: { [digestA]: "/file" } } as const;
  const effects = step(state, { kind: "brought", fence: 1, serving: servingOf(2), brought: got }, 6_100);
  assert.deepEqual(kinds(effects), ["serve"]);
  assert.deepEqual(kinds(step(state, said(2), 6_200)), ["beat"]);
  assert.deepEqual(step(state, serve(2), 20_000), []);
  assert.deepEqual(step(state, serve(1), 20_000), []);
  assert.deepEqual(step(state, serve(3, 2), 20_000), [], "an order of an older epoch");
});

test("SERVED-1: what it was told while it started is fetched with its first word, whenever in between that came", () => {
  for (const at of ["fetching", "starting", "started"]) {
    const state = registered();
    const tell = (now: string) => (now === at ? assert.deepEqual(step(state, serve(2), 605), []) : undefined);
    step(state, offer, 600);
    tell("fetching");
    step(state, { kind: "fetched", fence: 1, files }, 610);
    tell("starting");
    step(state, { kind: "runner", event: { kind: "started", fence: 1, exact: true, usedMs: 5 } }, 620);
    tell("started");
    assert.deepEqual(kinds(step(state, said(1), 630)), ["beat", "bring"], at);
    assert.deepEqual(step(state, said(1), 640), []);
  }
});

test("SERVED-1: whatever comes in which order, one revision is fetched at a time, what is handed on only rises, and the newest is reached", () => {
  const happens = fc.oneof(
    fc.record({ kind: fc.constant("order" as const), revision: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ kind: fc.constant("brought" as const), ok: fc.boolean() }),
    fc.record({ kind: fc.constant("said" as const), ok: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(happens, { maxLength: 60 }), (all) => {
      const state = answering();
      let [now, newest, answered] = [1_000, 1, 1];
      let bringing: Serving | null = null;
      let given: number | null = null;
      const hear = (effects: readonly AgentEffect[]) => {
        for (const effect of effects) {
          if (effect.kind === "bring") {
            assert.equal(bringing, null);
            bringing = effect.serving;
          }
          if (effect.kind === "serve") {
            assert.ok(effect.serving.revision >= Math.max(answered, given ?? 0));
            given = effect.serving.revision;
          }
        }
      };
      const take = (input: AgentInput) => hear(step(state, input, (now += 1_000)));
      const bring = (ok: boolean) => {
        const serving: Serving | null = bringing;
        if (serving === null) return;
        bringing = null;
        const brought = ok ? { ok, parts: {} } : { ok, reason: "away" };
        take({ kind: "brought", fence: 1, serving, brought });
      };
      const say = (ok: boolean) => {
        if (given === null) return;
        const trouble = ok ? undefined : "it does not load";
        if (ok) answered = given;
        given = null;
        take(said(answered, trouble));
      };
      for (const one of all) {
        if (one.kind === "order") {
          newest = Math.max(newest, one.revision);
          take(serve(one.revision));
        } else if (one.kind === "brought") bring(one.ok);
        else say(one.ok);
      }
      // The order is owed until it is obeyed.
      for (let again = 0; again < 20 && answered < newest; again++) {
        take(serve(newest));
        bring(true);
        say(true);
      }
      assert.equal(answered, newest);
    }),
  );
});

test("METER-5: a replica is paid for while it answers, also where the owner drives it out, and not while it stands still", () => {
  const state = answering();
  step(state, { kind: "owner", availability: { kind: "suspended", reason: "the owner" } }, 1_620);
  step(state, { kind: "owner", availability: { kind: "open", reason: null } }, 5_620);
  step(state, { kind: "owner", availability: { kind: "vacating", reason: "the owner" } }, 6_620);
  const end = { fence: 1, resource: 0, metrics: {}, usedMs: 0, path: null, digest: null, bytes: 0 };
  const [effect] = step(state, { kind: "runner", event: { kind: "stopped", ...end } }, 6_620);
  assert.ok(effect?.kind === "report" && effect.report.kind === "stopped");
  assert.deepEqual([effect.report.why, effect.report.digest], ["owner", null]);
  assert.ok(Math.abs(effect.report.usedMs - 2_005) < 1, String(effect.report.usedMs));
});
