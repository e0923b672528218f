/** Deployments under whatever happens: steps in any order keep every rule, and once it is quiet what is wanted is there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mustGet } from "../../coordinator/state/state.ts";
import { DeployedFold } from "../support/deployed-fold.ts";
import { assertSameEverywhere } from "../support/same-everywhere.ts";

const agents = ["a", "b", "c"] as const;
const agent = fc.constantFrom(...agents);
const step = fc.oneof(
  fc.record({ kind: fc.constant("deploy" as const), replicas: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant("promote" as const), version: fc.integer({ min: 1, max: 2 }) }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.constantFrom(500, 2_000, 20_000, 130_000) }),
  fc.record({ kind: fc.constant("take" as const) }),
  fc.record({
    kind: fc.constant("beat" as const),
    agent,
    suspended: fc.boolean(),
    isClosed: fc.boolean(),
    isTroubled: fc.boolean(),
  }),
  fc.record({
    kind: fc.constantFrom("silent" as const, "fail" as const, "leave" as const, "restart" as const),
    agent,
  }),
  fc.record({ kind: fc.constant("drain" as const), agent, drain: fc.boolean() }),
  fc.record({ kind: fc.constant("stop" as const) }),
  fc.record({ kind: fc.constant("stop-trial" as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function play(fold: DeployedFold, one: Step): void {
  const on = (name: string) => fold.live().filter((attempt) => attempt.agent === name);
  switch (one.kind) {
    case "deploy":
      fold.command("deploy-set", {
        deployment: "answers",
        model: "lang",
        version: "champion",
        replicas: one.replicas,
      });
      return;
    case "promote":
      fold.command("model-promote", { model: "lang", version: one.version, alias: "champion" });
      return;
    case "pass":
      return fold.pass(one.ms);
    case "take":
      return fold.takeUp();
    case "beat":
      return fold.beat(one.agent, {
        suspended: one.suspended,
        ...(one.isClosed || one.suspended ? { closed: "the owner is back" } : {}),
        ...(one.isTroubled ? { revision: null, trouble: "it does not load" } : {}),
      });
    case "silent":
      return void fold.do({ kind: "silent", agent: one.agent });
    case "fail":
      for (const attempt of on(one.agent)) fold.failed(attempt);
      return;
    case "leave":
      for (const attempt of on(one.agent)) if (attempt.cancel !== null) fold.stopped(attempt);
      return;
    case "restart":
      fold.rejoin(one.agent);
      return;
    case "drain":
      return void fold.must("agent-drain", { agent: one.agent, drain: one.drain });
    case "stop":
      fold.command("deploy-stop", { deployment: "answers" });
      return;
    case "stop-trial":
      for (const { trial } of fold.going().slice(0, 1)) fold.command("trial-stop", { trial });
      return;
  }
}

/** Whatever is asked is done, and every machine but those that drain takes work. */
function live(fold: DeployedFold, forMs: number): void {
  for (let passed = 0; passed < forMs; passed += 2_000) {
    fold.pass(2_000);
    for (const name of agents) fold.beat(name);
    for (const attempt of fold.live()) if (attempt.cancel !== null) fold.stopped(attempt);
    fold.takeUp();
  }
}

function assertWhole(fold: DeployedFold, replicas: number): void {
  const view = fold.view();
  assert.equal(view.state, "running", JSON.stringify(view));
  assert.equal(fold.live().length, replicas);
  assert.ok(view.replicas.every(({ revision, state }) => state === "ready" && revision === view.revision));
}

test("DEPLOY-4: whatever happened, once it is quiet as many answer as are wanted, each with the newest revision, and a drain takes none away", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.integer({ min: 1, max: 4 }),
      agent,
      (steps, replicas, drained) => {
        const fold = DeployedFold.with(agents, { slots: 2 });
        fold.deploy(2);
        for (const one of steps) play(fold, one);
        for (const name of agents) fold.must("agent-drain", { agent: name, drain: false });
        fold.deploy(replicas);
        live(fold, 300_000);
        assertWhole(fold, replicas);
        const [version] = fold.view().versions;
        assert.equal(version?.version, mustGet(fold.state.models, "lang", "model").aliases["champion"]);
        // The other two have room for all of them.
        fold.must("agent-drain", { agent: drained, drain: true });
        let least = replicas;
        for (let look = 0; look < 40; look++) {
          live(fold, 2_000);
          least = Math.min(least, fold.view().replicas.filter(({ state }) => state === "ready").length);
        }
        assertWhole(fold, replicas);
        assert.ok(!fold.agents().includes(drained));
        assert.equal(least, replicas, "none left before another answered");
        assertSameEverywhere(fold);
      },
    ),
    { numRuns: 60 },
  );
});
