import assert from "node:assert/strict";
import { test } from "node:test";
import { trialText } from "../../cli/command/trial-show.ts";
import { trialViewOf } from "../../coordinator/view/trial-answer.ts";
import { loadState, entityAt } from "../../coordinator/core/projection.ts";
import { stateText } from "../support/state-text.ts";
import { emptyState } from "../../coordinator/state/state.ts";
import { apply } from "../../coordinator/core/apply.ts";
import { sweepViewOf } from "../../coordinator/view/sweep-answer.ts";
import { openPolicy } from "../../protocol/capability.ts";
import { capability, digestA, digestOfNumber, Fold, sweepSpec } from "../support/fold.ts";

function started(change = {}, tokens = 10_000): Fold {
  const fold = new Fold();
  fold.open("ada", tokens);
  fold.join("box", 2);
  fold.must("sweep-run", { spec: sweepSpec(change) });
  return fold;
}

test("FENCE-1: a late result of an earlier attempt is noted and changes nothing", () => {
  const fold = started({ search: { method: "random", trials: 1, seed: 1 } });
  const trial = fold.trial("s1-1");
  const old = trial.attempts[0];
  assert.ok(old !== undefined);
  fold.at = old.until + fold.settings.graceMs + 1;
  fold.do({ kind: "expire" });
  assert.equal(trial.attempts.length, 2);
  const kept = { resource: 1, digest: digestOfNumber(9), bytes: 1, metrics: { accuracy: 1 }, usedMs: 10 };
  fold.report("box", { kind: "finished", fence: old.fence, ...kept });
  assert.equal(trial.state, "running");
  assert.equal(trial.value, null);
  assert.equal(fold.of("ReportNoted").length, 1);
  fold.finish(trial, 0.7);
  assert.equal(trial.state, "completed");
  assert.equal(trial.value, 0.7);
  assert.equal(fold.of("TrialFinished").length, 1);
});

test("FENCE-1: an agent cannot report for an attempt another one holds", () => {
  const fold = started({ search: { method: "random", trials: 1, seed: 1 } });
  fold.join("other", 1);
  const fence = fold.trial("s1-1").attempts[0]?.fence ?? 0;
  const kept = { resource: 1, digest: digestOfNumber(9), bytes: 1, metrics: { accuracy: 1 }, usedMs: 10 };
  fold.report("other", { kind: "finished", fence, ...kept });
  assert.equal(fold.trial("s1-1").state, "running");
});

test("LEASE: before its horizon and the grace have passed no attempt is given up", () => {
  const fold = started();
  const attempt = fold.trial("s1-1").attempts[0];
  assert.ok(attempt !== undefined);
  fold.at = attempt.until + fold.settings.graceMs;
  fold.do({ kind: "expire" });
  assert.equal(fold.trial("s1-1").attempts.length, 1);
});

test("a lost attempt resumes from its last kept checkpoint and pays only for that", () => {
  const fold = started({
    stopping: { policy: "none", max: 5 },
    search: { method: "random", trials: 1, seed: 1 },
  });
  const trial = fold.trial("s1-1");
  const first = trial.attempts[0];
  assert.ok(first !== undefined);
  const kept = {
    resource: 2,
    digest: digestOfNumber(7),
    bytes: 1,
    metrics: { accuracy: 0.4 },
    usedMs: 3_000,
  };
  fold.at += 3_000;
  fold.report("box", { kind: "checkpoint", fence: first.fence, ...kept });
  fold.at = first.until + fold.settings.graceMs + 1;
  fold.do({ kind: "expire" });
  const second = trial.attempts[1];
  assert.deepEqual(second?.from, { resource: 2, digest: digestOfNumber(7) });
  assert.equal(first.posted, 3_000);
  assert.equal(first.ending, "lost");
});

test("LEASE-2: a restarted agent's earlier attempts are over at once", () => {
  const fold = started({ search: { method: "random", trials: 1, seed: 1 } });
  fold.join("box", 2, undefined, "box-2");
  const [first, second] = fold.trial("s1-1").attempts;
  assert.equal(first?.ending, "lost");
  assert.equal(second?.incarnation, "box-2");
});

test("LEASE-1: an election keeps what was left of every horizon on the new leader's clock", () => {
  const fold = started();
  const attempt = fold.trial("s1-1").attempts[0];
  assert.ok(attempt !== undefined);
  const left = attempt.until - fold.state.meta.at;
  apply(fold.state, { kind: "LeaderElected", epoch: 9, leader: "other" }, 5_000);
  assert.equal(attempt.until, 5_000 + left);
});

test("ASHA: at each rung the best third goes on, the others pause, and at the end they are stopped", () => {
  const fold = started({
    search: { method: "random", trials: 9, seed: 5 },
    stopping: { policy: "asha", min: 1, max: 9, eta: 3 },
  });
  let guard = 0;
  while (fold.running().length > 0 && guard++ < 200) {
    const [trial] = fold.running();
    if (trial !== undefined) fold.finish(trial, trial.number / 10);
  }
  const sweep = fold.state.sweeps.get("s1");
  assert.equal(sweep?.state, "done");
  const reached = (number: number) => fold.trial(`s1-${number}`).rungs.at(-1)?.resource;
  assert.equal(reached(9), 9);
  assert.equal(reached(1), 1);
  assert.equal((sweep?.counts.completed ?? 0) + (sweep?.counts.stopped ?? 0), 9);
  assert.ok((sweep?.counts.completed ?? 0) >= 1);
  assert.equal(sweep?.best?.trial, "s1-9");
});

test("RUNG-3: too few trials to fill a rung still end with one at full length, the best of those that came furthest", () => {
  const fold = started({
    search: { method: "random", trials: 2, seed: 5 },
    stopping: { policy: "asha", min: 1, max: 9, eta: 3 },
  });
  let guard = 0;
  while (fold.running().length > 0 && guard++ < 50) {
    for (const trial of fold.running()) fold.finish(trial, trial.number / 10);
  }
  const sweep = fold.state.sweeps.get("s1");
  assert.equal(sweep?.state, "done");
  assert.deepEqual(
    fold.trial("s1-2").rungs.map(({ resource }) => resource),
    [1, 3, 9],
  );
  assert.equal(fold.trial("s1-2").state, "completed");
  assert.equal(fold.trial("s1-1").state, "stopped");
});

test("REUSE-1: the same sweep again is answered from the record for no tokens", () => {
  const spec = sweepSpec({
    search: { method: "random", trials: 9, seed: 5 },
    stopping: { policy: "asha", min: 1, max: 9, eta: 3 },
    register: { model: "best", alias: "champion" },
  });
  const fold = new Fold();
  fold.open("ada", 10_000);
  fold.join("box", 2);
  fold.must("sweep-run", { spec });
  while (fold.running().length > 0) for (const trial of fold.running()) fold.finish(trial, trial.number / 10);
  const posted = fold.state.accounts.get("ada")?.posted;
  fold.must("sweep-run", { spec });
  const again = fold.state.sweeps.get("s2");
  assert.equal(again?.state, "done");
  assert.equal(again.reused, 9);
  assert.equal(again.spent, 0);
  assert.equal(fold.state.accounts.get("ada")?.posted, posted);
  assert.equal(again.best?.value, fold.state.sweeps.get("s1")?.best?.value);
  assert.equal(fold.state.models.get("best")?.versions.length, 1);
});

test("a trial that does not report the objective fails with what it did report", () => {
  const fold = started({ search: { method: "random", trials: 1, seed: 1 } });
  const fence = fold.trial("s1-1").attempts[0]?.fence ?? 0;
  const kept = { resource: 1, digest: digestOfNumber(9), bytes: 1, metrics: { loss: 1 }, usedMs: 10 };
  fold.report("box", { kind: "finished", fence, ...kept });
  assert.equal(fold.trial("s1-1").state, "failed");
  assert.match(fold.trial("s1-1").failure ?? "", /"accuracy"; it reported loss/);
});

test("a failure of the trial's own is final, one of the machine is tried elsewhere a few times", () => {
  const fold = started({ search: { method: "random", trials: 2, seed: 1 } });
  const fail = (id: string, retryable: boolean, reason = "NaN loss") => {
    const attempt = fold.trial(id).attempts.at(-1);
    assert.ok(attempt !== undefined);
    fold.report("box", { kind: "failed", fence: attempt.fence, reason, retryable, usedMs: 500 });
  };
  fail("s1-1", false);
  assert.equal(fold.trial("s1-1").state, "failed");
  assert.equal(fold.trial("s1-1").attempts.length, 1);
  for (let count = 0; count <= fold.settings.retriesMax; count++)
    fail("s1-2", true, `the process ended early, the ${count + 1}. time`);
  assert.equal(fold.trial("s1-2").state, "failed");
  assert.equal(fold.trial("s1-2").attempts.length, fold.settings.retriesMax + 1);
});

test("stopping a sweep cancels what runs and gives everything an outcome", () => {
  const fold = started();
  fold.must("sweep-stop", { sweep: "s1" });
  for (const trial of fold.running()) {
    const fence = trial.attempts[0]?.fence ?? 0;
    fold.report("box", {
      kind: "stopped",
      fence,
      resource: 0,
      digest: null,
      bytes: 0,
      metrics: {},
      usedMs: 100,
      why: "cancelled",
    });
  }
  const sweep = fold.state.sweeps.get("s1");
  assert.equal(sweep?.state, "stopped");
  assert.equal(sweep?.counts.cancelled, sweep?.proposed);
});

test("CMD-1: a repeated command is done once and answered as the first time", () => {
  const fold = started();
  const run = () => fold.command("sweep-run", { spec: sweepSpec() }, "ada", "owner", "same-key");
  const first = run();
  assert.deepEqual(run(), first);
  assert.equal(fold.state.sweeps.size, 2);
});

test("roles: only the owner grants tokens, a viewer commands nothing", () => {
  const fold = started();
  const grant = fold.command("budget-grant", { requester: "ada", amount: 5 }, "ada", "requester");
  assert.equal(grant.ok ? "" : grant.refusal.code, "forbidden");
  const sweep = fold.command("sweep-run", { spec: sweepSpec() }, "vic", "viewer");
  assert.equal(sweep.ok ? "" : sweep.refusal.code, "forbidden");
});

test("a sweep nothing can run is refused with the nearest agent and what it lacks", () => {
  const fold = started();
  const answer = fold.command("sweep-run", { spec: sweepSpec({ needs: { gpu: { count: 1 }, cores: 64 } }) });
  assert.equal(answer.ok ? "" : answer.refusal.code, "no-agent-fits");
  assert.match(answer.ok ? "" : answer.refusal.message, /nearest is box.*cores: needs 64, has 4.*no GPU/);
});

test("REPLAY-1: the state loaded from its entities, and the state replayed from the journal, are the state", () => {
  const fold = started({
    search: { method: "random", trials: 9, seed: 5 },
    stopping: { policy: "asha", min: 1, max: 9, eta: 3 },
    register: { model: "best", alias: "champion" },
  });
  for (let round = 0; round < 7; round++) {
    const [trial] = fold.running();
    if (trial !== undefined) fold.finish(trial, trial.number / 10);
  }
  const replayed = emptyState();
  for (const { at, event } of fold.events) apply(replayed, structuredClone(event), at);
  assert.equal(stateText(replayed), stateText(fold.state));
  const entities = [...fold.state.dirty].map(
    (key) => [key, structuredClone(entityAt(fold.state, key))] as const,
  );
  const sorted = entities.toSorted(([a], [b]) => (a < b ? -1 : 1));
  const loaded = loadState((prefix) => sorted.filter(([key]) => key.startsWith(prefix)));
  assert.equal(stateText(loaded), stateText(fold.state));
});

test("REUSE-3: a longer run of the same goes on from the shorter one's checkpoint, with the rungs they share", () => {
  const fold = new Fold();
  fold.open("ada", 10_000);
  fold.join("box", 1);
  const search = { method: "random", trials: 1, seed: 4 } as const;
  const asha = (max: number) => ({ policy: "asha", min: 1, max, eta: 2 }) as const;
  fold.must("sweep-run", { spec: sweepSpec({ search, stopping: asha(2) }) });
  while (fold.running().length > 0) for (const trial of fold.running()) fold.finish(trial, 0.5, 4_000);
  assert.deepEqual(
    fold.trial("s1-1").rungs.map(({ resource }) => resource),
    [1, 2],
  );
  fold.must("sweep-run", { spec: sweepSpec({ search, stopping: asha(8) }) });
  const longer = fold.trial("s2-1");
  assert.equal(longer.resumes, "s1-1");
  const shown = (id: string) => trialText(trialViewOf(fold.state, fold.trial(id)));
  assert.match(shown(longer.trial), /^from record +no, but it began from the checkpoint of s1-1$/m);
  assert.match(shown("s1-1"), /^from record +no$/m);
  assert.deepEqual(
    longer.rungs.map(({ resource }) => resource),
    [1, 2],
  );
  assert.equal(longer.attempts[0]?.from?.resource, 2);
  assert.equal(longer.attempts[0]?.target, 4);
  while (fold.running().length > 0) for (const trial of fold.running()) fold.finish(trial, 0.6, 4_000);
  assert.equal(fold.state.sweeps.get("s2")?.state, "done");
  assert.equal(fold.trial("s2-1").state, "completed");
  fold.must("sweep-run", { spec: sweepSpec({ search, stopping: asha(16), reuse: false }) });
  assert.equal(fold.trial("s3-1").resumes, null, "reuse: off begins from nothing");
});

test("a sweep says why trials failed, and goes on: no number, another name, nothing at all", () => {
  const fold = new Fold();
  fold.open("ada", 10_000);
  fold.join("box", 1);
  fold.must("sweep-run", { spec: sweepSpec({ reuse: false }) });
  const metrics = [{ acc: 0.9 }, { accuracy: Number.NaN }, {}, { acc: 0.8 }];
  for (const reported of metrics) {
    const [trial] = fold.running();
    assert.ok(trial !== undefined);
    const attempt = trial.attempts.at(-1);
    assert.ok(attempt !== undefined);
    const kept = { resource: 1, digest: digestA, bytes: 1, metrics: reported, usedMs: 1_000 };
    fold.report("box", { kind: "finished", fence: attempt.fence, ...kept });
  }
  while (fold.running().length > 0) for (const trial of fold.running()) fold.finish(trial, 0.5);
  const sweep = fold.state.sweeps.get("s1");
  assert.ok(sweep !== undefined);
  assert.equal(sweep.state, "done");
  const view = sweepViewOf(
    fold.state,
    sweep,
    { sweep: "s1", offset: 0, limit: 9, order: "number" },
    fold.settings,
  );
  assert.deepEqual(view.failures[0], {
    reason: 'it did not report a finite "accuracy"; it reported acc',
    count: 2,
  });
  assert.equal(view.failures.length, 3);
});

test("one reason of many trials is told once, though each names its own trial", () => {
  const fold = new Fold();
  fold.open("ada", 10_000);
  fold.join("box", 1);
  fold.must("sweep-run", { spec: sweepSpec({ reuse: false }) });
  let failed = 0;
  for (let trial = fold.running()[0]; trial !== undefined; trial = fold.running()[0]) {
    const attempt = trial.attempts.at(-1);
    assert.ok(attempt !== undefined);
    const reason = `the program of trial ${trial.trial} ended with code 1: no trial s1-1`;
    fold.report("box", { kind: "failed", fence: attempt.fence, reason, retryable: false, usedMs: 0 });
    failed++;
  }
  const sweep = fold.state.sweeps.get("s1");
  assert.ok(sweep !== undefined && failed > 1);
  const query = { sweep: "s1", offset: 0, limit: 9, order: "number" } as const;
  const { failures } = sweepViewOf(fold.state, sweep, query, fold.settings);
  assert.deepEqual(failures, [{ reason: "the program ended with code 1: no trial s1-1", count: failed }]);
});

test("LEASE-10: a registration of an earlier run that comes late is refused, and ends nothing of the later one", () => {
  const fold = started();
  const register = (run: number) =>
    fold.do({
      kind: "register",
      agent: "box",
      register: { incarnation: `box-${run}`, capability: capability(), policy: openPolicy(2) },
    });
  for (let run = 2; run <= 12; run++) assert.ok(register(run).ok);
  const before = fold.events.length;
  for (let run = 5; run < 12; run++) {
    const answer = register(run);
    assert.match(answer.ok ? "" : answer.refusal.message, /agent box has been started again since/);
  }
  assert.equal(fold.events.length, before, "nothing has come of them");
  assert.equal(fold.running().length, 2);
  assert.ok(register(12).ok, "the last run registers as often as it likes");
  const { earlier } = fold.state.agents.get("box") ?? { earlier: [] };
  assert.deepEqual([earlier.length, earlier[0]], [8, "box-11"]);
});
