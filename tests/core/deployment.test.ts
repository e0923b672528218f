/** Deployments in the coordinator's core: how many replicas, where, of which version, at whose cost, and who leaves first. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { OwedOrders } from "../../coordinator/leader/owed-orders.ts";
import { eachReference } from "../../coordinator/collect/reference.ts";
import { defaultRetention } from "../../coordinator/collect/default-retention.ts";
import { removalOf } from "../../coordinator/registry/remove-entry.ts";
import { mustGet } from "../../coordinator/state/state.ts";
import { serveSchema } from "../../protocol/order.ts";
import { DeployedFold, servingMachine } from "../support/deployed-fold.ts";
import { sweepSpec } from "../support/fold.ts";
import { assertSameEverywhere } from "../support/same-everywhere.ts";

function refusal(answer: ReturnType<DeployedFold["command"]>): string {
  return answer.ok ? "" : `${answer.refusal.code}: ${answer.refusal.message}`;
}

/** Time passes in heartbeats, so that leases are extended. */
function live(fold: DeployedFold, ms: number, quiet: readonly string[] = []): void {
  const { heartbeatMs } = fold.settings;
  for (let passed = 0; passed < ms; passed += heartbeatMs) {
    fold.pass(heartbeatMs);
    for (const agent of new Set(fold.live().map((attempt) => attempt.agent)))
      if (!quiet.includes(agent)) fold.beat(agent);
    fold.takeUp(quiet);
  }
}

test("DEPLOY-1: it has as many replicas as are wanted, for as long as they are wanted, and more or fewer when that changes", () => {
  const fold = DeployedFold.with(["a", "b", "c", "d"]);
  fold.deploy(2);
  assert.deepEqual(fold.agents(), ["a", "b"]);
  fold.takeUp();
  assert.equal(fold.view().state, "running");
  live(fold, 10 * fold.settings.leaseMs);
  assert.deepEqual(fold.agents(), ["a", "b"]);
  assert.equal(fold.live().length, 2);
  fold.deploy(4);
  assert.deepEqual(fold.agents(), ["a", "b", "c", "d"]);
  fold.deploy(1);
  // DEPLOY-2: those that do not answer yet first, then the newest.
  assert.deepEqual(fold.agents(), ["a"]);
  assert.equal(fold.live().length, 4);
  for (const attempt of fold.live()) if (attempt.cancel !== null) fold.stopped(attempt);
  assert.equal(fold.live().length, 1);
  assertSameEverywhere(fold);
});

test("DEPLOY-2: of two that are too many the one that does not answer goes before a newer one that does", () => {
  const fold = DeployedFold.with(["a", "b", "c"]);
  fold.deploy(3);
  for (const { agent, fence } of fold.live()) fold.report(agent, { kind: "accepted", fence });
  fold.beat("a");
  fold.beat("c");
  fold.deploy(2);
  assert.deepEqual(fold.agents(), ["a", "c"]);
  fold.deploy(1);
  assert.deepEqual(fold.agents(), ["a"]);
});

test("DEPLOY-3: when the alias moves every replica is owed the next revision until its agent says that it answers with it", () => {
  const fold = DeployedFold.with(["a", "b"]);
  fold.deploy(2);
  fold.takeUp();
  const owed = new OwedOrders(2_000);
  const served = () =>
    owed.allDue(fold.state, fold.at).flatMap(({ agent, body, name }) => {
      if (name !== "serve") return [];
      const { replicas } = serveSchema.parse({ ...body, expires: fold.at + 1 });
      return replicas.map(({ serving }) => [agent, serving.revision, serving.versions[0]?.version]);
    });
  assert.deepEqual(served(), []);
  fold.must("model-promote", { model: "lang", version: 1, alias: "champion" });
  assert.deepEqual(served(), [
    ["a", 2, 1],
    ["b", 2, 1],
  ]);
  assert.deepEqual(served(), [], "it was told just now");
  fold.beat("a");
  fold.at += 2_000;
  assert.deepEqual(served(), [["b", 2, 1]]);
  fold.beat("b", { revision: 1, trouble: "its bytes are not to be had" });
  fold.at += 2_000;
  assert.deepEqual(served(), [], "told seldom once it has said why it cannot");
  assert.match(fold.view().why ?? "", /bytes are not to be had/);
  // A number stays what it is, whatever moves.
  fold.deploy(2, 2);
  fold.must("model-rollback", { model: "lang", alias: "champion" });
  assert.equal(fold.deployment().revision, 3);
  assert.equal(fold.deployment().versions[0]?.version, 2);
});

test("DEPLOY-3: a revision that nobody has given is not believed", () => {
  const fold = DeployedFold.with(["a"]);
  fold.deploy(1);
  for (const { agent, fence } of fold.live()) fold.report(agent, { kind: "accepted", fence });
  fold.beat("a", { revision: 7 });
  assert.equal(fold.view().replicas[0]?.state, "starting");
  fold.beat("a", { revision: null });
  assert.equal(fold.view().state, "starting");
  fold.beat("a");
  assert.equal(fold.view().replicas[0]?.state, "ready");
});

test("DEPLOY-3: a reference that means nothing any more changes nothing, and is said", () => {
  const fold = DeployedFold.with(["a"]);
  fold.deploy(1, 1);
  fold.takeUp();
  const removed = removalOf(fold.state, { of: "model", name: "lang", version: 1 }, fold.at);
  assert.ok(removed.ok);
  assert.deepEqual(removed.value.dependents, ["deployment answers, which answers with version 1"]);
  assert.match(
    refusal(fold.command("registry-remove", { of: "model", name: "lang", version: 1 })),
    /answers/,
  );
  fold.must("registry-remove", { of: "model", name: "lang", version: 1, force: true });
  assert.equal(fold.deployment().versions[0]?.version, 1);
  assert.match(fold.view().why ?? "", /lang@1 means nothing now: lang@1 was removed by ada/);
  const [version] = fold.deployment().versions;
  const kept = () =>
    [...eachReference({ state: fold.state, at: fold.at, retention: defaultRetention })].flatMap(
      ({ digest, kind }) => (kind === "deployment" ? [digest] : []),
    );
  assert.deepEqual(kept(), [version?.artifact], "its bytes are kept as long as it answers");
  fold.must("deploy-stop", { deployment: "answers" });
  assert.deepEqual(kept(), []);
});

for (const way of ["closed", "suspended", "silent", "drained"] as const)
  test(`DEPLOY-4: of a machine that is ${way} the replica leaves once another answers, not before`, () => {
    const fold = DeployedFold.with(["a", "b", "c"]);
    fold.deploy(2);
    fold.takeUp();
    if (way === "closed") fold.beat("a", { closed: "the owner is back" });
    else if (way === "suspended") fold.beat("a", { suspended: true, closed: "the owner is back" });
    else if (way === "silent") fold.do({ kind: "silent", agent: "a" });
    else fold.must("agent-drain", { agent: "a", drain: true });
    fold.pass(1_000);
    assert.deepEqual(fold.agents(), ["a", "b", "c"], "another is started first");
    fold.pass(1_000);
    assert.deepEqual(fold.agents(), ["a", "b", "c"], "and waited for");
    for (const { agent, fence, state } of fold.live())
      if (state === "offered") fold.report(agent, { kind: "accepted", fence });
    fold.beat("c");
    fold.pass(1_000);
    assert.deepEqual(fold.agents(), ["b", "c"]);
    const [old] = fold.live().filter(({ agent }) => agent === "a");
    assert.match(old?.cancel ?? "", /another replica answers in its place/);
    if (old !== undefined) fold.stopped(old);
    live(fold, 30_000);
    assert.deepEqual(fold.agents(), ["b", "c"]);
  });

test("DEPLOY-4: where nothing else fits, a machine that drains is let go, and one whose owner is back keeps its own", () => {
  const fold = DeployedFold.with(["a"]);
  fold.deploy(1);
  fold.takeUp();
  fold.beat("a", { suspended: true, closed: "the owner is back" });
  live(fold, 4_000, ["a"]);
  assert.deepEqual(fold.agents(), ["a"]);
  assert.equal(fold.view().replicas[0]?.state, "suspended");
  fold.must("agent-drain", { agent: "a", drain: true });
  fold.pass(1_000);
  assert.deepEqual(fold.agents(), []);
  const [left] = fold.live();
  assert.ok(left !== undefined);
  fold.stopped(left);
  assert.deepEqual([fold.view().state, fold.view().replicas.length], ["short", 1]);
  assert.match(fold.view().why ?? "", /no agent that is present fits/);
  fold.joinWith("b", 1, servingMachine());
  assert.deepEqual(fold.agents(), ["b"]);
});

test("DEPLOY-4: a machine that drains waits no longer than two minutes for a replica that never answers", () => {
  const fold = DeployedFold.with(["a", "b"]);
  fold.deploy(1);
  fold.takeUp();
  fold.must("agent-drain", { agent: "a", drain: true });
  const drained = () => fold.live().some(({ agent, cancel }) => agent === "a" && cancel !== null);
  for (let second = 0; second < 110; second += 2) {
    fold.pass(2_000);
    fold.beat("a");
    for (const { agent, fence, state } of fold.live())
      if (state === "offered") fold.report(agent, { kind: "accepted", fence });
    fold.beat("b", { revision: null });
  }
  assert.equal(drained(), false);
  for (let second = 0; second < 20; second += 2) {
    fold.pass(2_000);
    fold.beat("a");
    fold.beat("b", { revision: null });
  }
  assert.equal(drained(), true);
});

test("DEPLOY-5: its sweep is nobody's to steer, and it is in no list of sweeps", () => {
  const fold = DeployedFold.with(["a"]);
  const { sweep } = fold.deploy(1);
  for (const [name, body] of [
    ["sweep-stop", {}],
    ["sweep-pause", { now: true }],
    ["sweep-seal", {}],
    ["sweep-tune", { weight: 2 }],
    ["sweep-extend", { trials: 1 }],
    ["sweep-remove", { force: true }],
    ["trial-propose", { model: "replica", params: {} }],
  ] as const)
    assert.match(refusal(fold.command(name, { sweep, ...body })), /is the replicas of deployment answers/);
  const spec = sweepSpec({ task: "serve" });
  assert.match(refusal(fold.command("sweep-run", { spec })), /trialmesh deploy NAME REFERENCE/);
});

test("DEPLOY-5: a deployment is its requester's and the owner's", () => {
  const fold = DeployedFold.with(["a"]);
  fold.deploy(1);
  const set = { deployment: "answers", model: "lang", version: 1 };
  assert.match(
    refusal(fold.command("deploy-set", set, "bob", "requester")),
    /deployment answers belongs to ada/,
  );
  assert.match(
    refusal(fold.command("deploy-stop", { deployment: "answers" }, "bob", "requester")),
    /belongs to ada/,
  );
  assert.match(refusal(fold.command("deploy-set", set, "eve", "viewer")), /forbidden/);
  fold.must("deploy-set", set, "olga", "owner");
  assert.equal(fold.deployment().requester, "ada");
  assert.match(
    refusal(fold.command("deploy-stop", { deployment: "answer" })),
    /no deployment answer.*answers/,
  );
  fold.must("deploy-stop", { deployment: "answers" }, "ada", "requester");
  assert.match(refusal(fold.command("deploy-stop", { deployment: "answers" })), /stopped already, by ada/);
});

test("DEPLOY-6: a name that was stopped opens anew, and no revision is given twice", () => {
  const fold = DeployedFold.with(["a"]);
  const first = fold.deploy(1);
  fold.takeUp();
  fold.must("deploy-stop", { deployment: "answers", why: "enough" });
  assert.equal(fold.view().state, "stopping");
  for (const attempt of fold.live()) fold.stopped(attempt);
  assert.equal(fold.view().state, "stopped");
  assert.equal(mustGet(fold.state.sweeps, first.sweep, "sweep").state, "stopped");
  live(fold, 20_000);
  assert.equal(fold.live().length, 0);
  const again = fold.deploy(1);
  assert.notEqual(again.sweep, first.sweep);
  assert.equal(again.revision, 2);
  assert.deepEqual(fold.agents(), ["a"]);
  assertSameEverywhere(fold);
});

test("DEPLOY-7: a reference that is none is refused with what there is", () => {
  const fold = DeployedFold.with(["a"]);
  const set = (change: object) =>
    refusal(fold.command("deploy-set", { deployment: "answers", model: "lang", ...change }));
  assert.match(set({ model: "lung" }), /unknown: there is no model lung.*lang/);
  assert.match(set({ version: 9 }), /lang has no version 9; it has 1, 2/);
  assert.match(set({ version: "champoin" }), /no alias champoin.*champion/);
  assert.match(set({ needs: { cores: 64 } }), /no-agent-fits: no known agent can run serve\/replica/);
  assert.match(set({ replicas: 0 }), /replicas/);
  assert.equal(fold.state.deployments.size, 0);
  // A name alone is the champion's.
  assert.equal(fold.deploy(1, null).versions[0]?.version, 2);
});

test("DEPLOY-8: two replicas are on one agent only where nothing else that is free fits", () => {
  const fold = DeployedFold.with(["a", "b", "c"], { slots: 4 });
  fold.deploy(3);
  assert.deepEqual(fold.agents(), ["a", "b", "c"]);
  fold.deploy(5);
  assert.deepEqual(fold.agents(), ["a", "a", "b", "b", "c"]);
});

test("DEPLOY-8: a machine that fails a replica again and again is left for one that has a replica already", () => {
  const fold = DeployedFold.with(["a", "b"], { slots: 4 });
  fold.deploy(2);
  fold.takeUp();
  const onB = () => fold.live().find(({ agent }) => agent === "b");
  const [first] = fold.live().filter(({ agent }) => agent === "b");
  assert.ok(first !== undefined);
  fold.failed(first);
  fold.pass(1_000);
  const second = onB();
  assert.ok(second !== undefined, "once is bad luck");
  fold.failed(second);
  fold.pass(2_000);
  assert.deepEqual(fold.agents(), ["a", "a"]);
});

test("DEPLOY-9: what ends is started again after a rest that doubles up to a minute, however often, and nothing is given up", () => {
  const fold = DeployedFold.with(["a"]);
  fold.deploy(1);
  const rests: number[] = [];
  for (let failure = 0; failure < 60; failure++) {
    const [attempt] = fold.live();
    assert.ok(attempt !== undefined, `after ${failure} failures`);
    fold.failed(attempt, "its version cannot be loaded");
    const from = fold.at;
    assert.match(fold.view().why ?? "", /its version cannot be loaded/);
    while (fold.live().length === 0) fold.pass(500);
    rests.push((fold.at - from) / 1_000);
  }
  assert.deepEqual(rests.slice(0, 9), [1, 2, 4, 8, 16, 32, 60, 60, 60]);
  const most = Math.max(...[...fold.state.trials.values()].map(({ attempts }) => attempts.length));
  assert.ok(most <= 32, `no trial grows without end: ${most}`);
  assertSameEverywhere(fold);
});

test("DEPLOY-9: a replica that has answered for some seconds is started again at once", () => {
  const fold = DeployedFold.with(["a"]);
  fold.deploy(1);
  fold.takeUp();
  live(fold, 6_000);
  const [attempt] = fold.live();
  assert.ok(attempt !== undefined);
  fold.failed(attempt);
  assert.equal(fold.live().length, 1);
});

test("DEPLOY-10: what a replica worked is paid, also where its agent is lost, and nothing is left reserved", () => {
  const fold = DeployedFold.with(["a"], { tokens: 1_000 });
  fold.deploy(1);
  fold.takeUp();
  const account = mustGet(fold.state.accounts, "ada", "account");
  const before = account.posted;
  const longMs = 8 * fold.settings.leaseMs;
  live(fold, longMs);
  const { spent, tokensPerHour } = fold.view();
  assert.ok(spent > longMs / 2 && spent <= longMs, `${spent}`);
  assert.equal(tokensPerHour, 3_600_000);
  fold.must("agent-cordon", { agent: "a", cordon: true });
  fold.pass(longMs + fold.settings.graceMs + 1_000);
  assert.equal(fold.live().length, 0);
  assert.ok(account.posted - before > longMs / 3, `${account.posted - before}`);
  assert.equal(account.pending, 0);
});

test("DEPLOY-11: where tokens run out its replicas end and it says so; with a grant it goes on by itself", () => {
  const fold = DeployedFold.with(["a"], { tokens: 45 });
  fold.deploy(1);
  fold.takeUp();
  for (let second = 0; second < 60 && fold.live().length > 0; second += 2) {
    fold.pass(2_000);
    const [attempt] = fold.live();
    if (attempt === undefined) break;
    if (fold.at >= attempt.until) fold.stopped(attempt, "horizon");
    else fold.beat("a");
  }
  assert.equal(fold.live().length, 0);
  assert.equal(fold.view().state, "out of tokens");
  assert.match(fold.view().why ?? "", /ada has .* tokens left, the next replica needs/);
  fold.must("budget-grant", { requester: "ada", amount: 1_000_000 });
  assert.equal(fold.live().length, 1);
});

test("DEPLOY-14: an account's statement has a line an hour of what a replica reserves, and adds up when it has ended", () => {
  const fold = DeployedFold.with(["a"], { tokens: 100_000 });
  fold.deploy(1);
  fold.takeUp();
  const lines = () => mustGet(fold.state.ledgers, "ada", "ledger");
  const before = lines().length;
  live(fold, 3 * 3_600_000);
  assert.equal(lines().length - before, 2);
  fold.must("deploy-stop", { deployment: "answers" });
  for (const attempt of fold.live()) fold.stopped(attempt);
  const sums = { pending: 0, posted: 0 };
  for (const { amount, kind } of lines()) {
    if (kind === "reserve" || kind === "extend") sums.pending += amount;
    if (kind === "post" || kind === "release") sums.pending -= amount;
    if (kind === "post") sums.posted += amount;
  }
  const { pending, posted } = mustGet(fold.state.accounts, "ada", "account");
  assert.deepEqual(sums, { pending, posted });
  assert.ok(posted > 10_000_000, "three hours at a token a second");
  assertSameEverywhere(fold);
});

test("DEPLOY-15: a replica is paid for so far ahead that it answers on while nobody leads, and its lease is extended seldom", () => {
  const fold = DeployedFold.with(["a"]);
  fold.deploy(1);
  fold.takeUp();
  const { leaseMs } = fold.settings;
  const before = fold.of("LeaseExtended").length;
  let least = Infinity;
  for (let passed = 0; passed < 80 * leaseMs; passed += fold.settings.heartbeatMs) {
    fold.pass(fold.settings.heartbeatMs);
    fold.beat("a");
    least = Math.min(least, ...fold.live().map(({ until }) => until - fold.at));
  }
  assert.ok(least >= 4 * leaseMs - 1, `${least} ms`);
  const extensions = fold.of("LeaseExtended").length - before;
  assert.ok(extensions >= 15 && extensions <= 25, `${extensions}`);
});

test("DEPLOY-12: other needs move replicas that no longer fit, one at a time", () => {
  const fold = DeployedFold.with(["a"]);
  fold.joinWith("big", 1, { ...servingMachine(), host: { ...servingMachine().host, cores: 32 } });
  fold.deploy(1);
  fold.takeUp();
  const [on] = fold.agents();
  fold.deploy(1, "champion", { needs: { agents: { not: [on ?? ""] } } });
  live(fold, 4_000);
  for (const attempt of fold.live()) if (attempt.cancel !== null) fold.stopped(attempt);
  assert.equal(fold.agents().length, 1);
  assert.notDeepEqual(fold.agents(), [on]);
});

test("PREEMPT-5: a replica is a victim only where nothing else is", () => {
  const fold = DeployedFold.with(["a", "b"]);
  fold.deploy(1);
  fold.takeUp();
  const long = { policy: "none", max: 100 } as const;
  fold.must("sweep-run", {
    spec: sweepSpec({ stopping: long, search: { method: "random", trials: 9, seed: 5 } }),
  });
  for (const trial of fold.training()) {
    const attempt = trial.attempts.at(-1);
    if (attempt !== undefined) fold.report(attempt.agent, { kind: "accepted", fence: attempt.fence });
  }
  const trials = fold.training().length;
  assert.ok(trials > 0);
  fold.must("account-open", { requester: "bob", grant: 1_000_000, weight: 10 });
  fold.must("sweep-run", { spec: sweepSpec({ search: { method: "random", trials: 2, seed: 6 } }) }, "bob");
  for (let passed = 0; passed < 3 * fold.settings.preemptAfterMs; passed += 2_000) {
    fold.at += 2_000;
    for (const agent of ["a", "b"]) {
      const [trial] = fold.training().filter((one) => one.attempts.at(-1)?.agent === agent);
      if (trial === undefined) fold.beat(agent);
      else fold.heartbeatOf(trial, fold.at - (trial.attempts.at(-1)?.at ?? 0));
    }
    fold.pass(0);
  }
  const asked = fold
    .of("CancelRequested")
    .flatMap((event) => (event.kind === "CancelRequested" ? event.fence : []));
  const [replica] = fold.going();
  assert.ok(asked.length > 0);
  assert.ok(replica !== undefined && !asked.includes(replica.fence));
});
