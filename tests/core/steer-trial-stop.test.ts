/** Stopping one trial, in the coordinator's core: how it ends whatever its attempt does, what it costs, what it answers for later. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { historyOf } from "../../coordinator/state/history.ts";
import { activeAttempt, mustGet, type Sweep } from "../../coordinator/state/state.ts";
import { whyViewOf } from "../../coordinator/view/why-answer.ts";
import { digestOfNumber, Fold, sweepSpec } from "../support/fold.ts";
import { assertSameEverywhere } from "../support/same-everywhere.ts";
import { leaveAll } from "../support/steered-sweep.ts";

const asha = { policy: "asha", min: 1, max: 9, eta: 3 } as const;

function started(change = {}, slots = 2): Fold {
  const fold = new Fold();
  fold.open("ada", 10_000);
  fold.join("box", slots);
  fold.must("sweep-run", { spec: sweepSpec(change) });
  return fold;
}

function sweepOf(fold: Fold, id = "s1"): Sweep {
  return mustGet(fold.state.sweeps, id, "sweep");
}

function refusal(answer: ReturnType<Fold["command"]>): string {
  return answer.ok ? "" : `${answer.refusal.code}: ${answer.refusal.message}`;
}

function runOn(fold: Fold): void {
  let guard = 0;
  while (fold.running().length > 0 && guard++ < 500)
    for (const trial of fold.running()) if (trial.state === "running") fold.finish(trial, trial.number / 100);
}

test("STOP-1: one that runs ends when its agent has heard of it, stopped by whoever asked, charged for its work", () => {
  const fold = started({ stopping: { policy: "none", max: 9 } });
  const [trial] = fold.running();
  assert.ok(trial !== undefined);
  assert.deepEqual(fold.must("trial-stop", { trial: trial.trial, why: "diverged" }), {
    trial: trial.trial,
    running: true,
  });
  assert.deepEqual(
    fold.of("CancelRequested").map((event) => event.kind === "CancelRequested" && [event.how, event.reason]),
    [["soon", `${trial.trial} was stopped by ada`]],
  );
  assert.match(
    refusal(fold.command("trial-stop", { trial: trial.trial })),
    /^conflict: .* being stopped already, as ada asked/,
  );
  leaveAll(fold, 4);
  assert.deepEqual([trial.state, trial.failure], ["stopped", "stopped by ada: diverged"]);
  assert.deepEqual([trial.checkpoint?.resource, trial.metrics], [4, { accuracy: 0.1 }]);
  assert.equal(trial.spent, 400);
  assert.equal(sweepOf(fold).savedByStopping, 0);
  assert.equal(
    whyViewOf(fold.state, trial, fold.settings).sentence,
    "It was stopped by ada: diverged at epoch 4.",
  );
  assert.match(
    refusal(fold.command("trial-stop", { trial: trial.trial })),
    /^conflict: .* has ended already: stopped/,
  );
  runOn(fold);
  assert.deepEqual(
    [sweepOf(fold).state, sweepOf(fold).proposed, sweepOf(fold).counts.stopped],
    ["done", 6, 1],
  );
  assertSameEverywhere(fold);
});

test("STOP-1: what it had measured is kept without a checkpoint too, and beside one stand that one's figures", () => {
  for (const hasCheckpoint of [false, true]) {
    const fold = started({ stopping: { policy: "none", max: 9 } });
    const trial = fold.trial("s1-1");
    const fence = activeAttempt(trial)?.fence ?? 0;
    const kept = {
      resource: 2,
      digest: digestOfNumber(7),
      bytes: 1,
      metrics: { accuracy: 0.2 },
      usedMs: 100,
    };
    if (hasCheckpoint) fold.report("box", { kind: "checkpoint", fence, ...kept });
    fold.must("trial-stop", { trial: "s1-1" });
    const left = { resource: 3, digest: null, bytes: 0, metrics: { accuracy: 0.3 }, usedMs: 200 };
    fold.at += 300;
    fold.report("box", { kind: "stopped", fence, ...left, why: "cancelled" });
    assert.deepEqual([trial.state, trial.metrics], ["stopped", { accuracy: hasCheckpoint ? 0.2 : 0.3 }]);
    assert.equal(trial.value, null);
    assertSameEverywhere(fold);
  }
});

test("STOP-1: one that waits, in the queue or at its rung, ends at once", () => {
  const fold = started({ stopping: asha, search: { method: "random", trials: 9, seed: 5 } }, 1);
  const queued = [...fold.state.trials.values()].find(({ state }) => state === "queued");
  assert.ok(queued !== undefined);
  assert.deepEqual(fold.must("trial-stop", { trial: queued.trial }), { trial: queued.trial, running: false });
  assert.deepEqual([queued.state, queued.failure], ["stopped", "stopped by ada"]);
  while ([...fold.state.trials.values()].every(({ state }) => state !== "paused")) {
    const [next] = fold.running();
    assert.ok(next !== undefined);
    fold.finish(next, next.number / 10);
  }
  const paused = [...fold.state.trials.values()].find(({ state }) => state === "paused");
  assert.ok(paused !== undefined);
  fold.must("trial-stop", { trial: paused.trial });
  assert.deepEqual([paused.state, paused.value], ["stopped", paused.number / 10]);
  runOn(fold);
  assert.equal(sweepOf(fold).state, "done");
});

test("STOP-3: only who may command the sweep stops its trials, and what is not there is named", () => {
  const fold = started();
  fold.open("bob", 10);
  assert.match(
    refusal(fold.command("trial-stop", { trial: "s1-1" }, "bob", "requester")),
    /^forbidden: s1 belongs to ada/,
  );
  assert.match(refusal(fold.command("trial-stop", { trial: "s1-1" }, "vic", "viewer")), /^forbidden/);
  assert.match(
    refusal(fold.command("trial-stop", { trial: "s1-99" })),
    /^unknown: there is no trial s1-99; s1 has s1-1 to s1-\d+$/,
  );
  assert.match(refusal(fold.command("trial-stop", { trial: "s9-1" })), /^unknown: there is no sweep s9;/);
  assert.match(refusal(fold.command("trial-stop", { trial: "s1" })), /^invalid/);
  assert.equal(fold.of("TrialStopAsked").length, 0);
});

/** How an attempt may end after its trial was to be stopped. */
const endings = [
  "leaves",
  "fails",
  "fails for good",
  "is lost",
  "is refused",
  "reaches its rung",
  "sweep stops",
] as const;

function endSo(fold: Fold, how: (typeof endings)[number]): void {
  const trial = fold.trial("s1-1");
  const attempt = activeAttempt(trial);
  assert.ok(attempt !== null);
  const { agent, fence } = attempt;
  switch (how) {
    case "leaves":
      return leaveAll(fold, 1);
    case "fails":
    case "fails for good":
      return fold.report(agent, {
        kind: "failed",
        fence,
        reason: "broke",
        retryable: how === "fails",
        usedMs: 10,
      });
    case "is lost":
      fold.at = attempt.until;
      return fold.pass(fold.settings.graceMs + 1);
    case "is refused":
      return fold.report(agent, { kind: "refused", fence, reason: "the owner came home" });
    case "reaches its rung":
      return fold.finish(trial, 0.5);
    case "sweep stops":
      fold.must("sweep-stop", { sweep: "s1" });
      return leaveAll(fold, 1);
  }
}

test("STOP-1: however its attempt ends, it ends as stopped by a person, once, and the books are right", () => {
  for (const how of endings) {
    const fold = started({ stopping: asha });
    fold.must("trial-stop", { trial: "s1-1" });
    endSo(fold, how);
    const trial = fold.trial("s1-1");
    assert.deepEqual([how, trial.state, trial.failure], [how, "stopped", "stopped by ada"]);
    assert.equal(trial.attempts.length, 1, how);
    assert.equal(trial.record, false, how);
    assertSameEverywhere(fold);
  }
});

test("STOP-2: one that is complete before its agent heard of it is complete, and answers for the same work", () => {
  const fold = started();
  fold.must("trial-stop", { trial: "s1-1" });
  fold.finish(fold.trial("s1-1"), 0.7);
  assert.deepEqual([fold.trial("s1-1").state, fold.trial("s1-1").record], ["completed", true]);
});

test("STOP-2: the same sweep again runs it, from the checkpoint it left, and is answered for all the others", () => {
  const change = {
    stopping: { policy: "none", max: 9 },
    search: { method: "tpe", trials: 6, seed: 2 },
  } as const;
  const fold = started(change);
  fold.must("trial-stop", { trial: "s1-2" });
  leaveAll(fold, 4);
  runOn(fold);
  fold.must("sweep-run", { spec: sweepSpec(change) });
  const again = fold.running();
  assert.deepEqual(
    again.map(({ trial }) => trial),
    ["s2-2"],
  );
  assert.equal(activeAttempt(fold.trial("s2-2"))?.from?.resource, 4);
  runOn(fold);
  assert.deepEqual([sweepOf(fold, "s2").reused, sweepOf(fold, "s2").counts.completed], [5, 6]);
});

test("STOP-4: a search that learns is told of a stopped trial, with the value of its last rung or none", () => {
  const fold = started({ stopping: asha, search: { method: "tpe", trials: 9, seed: 1 } }, 1);
  const [first] = fold.running();
  assert.ok(first !== undefined);
  fold.finish(first, 0.9);
  if (first.state !== "stopped") fold.must("trial-stop", { trial: first.trial });
  leaveAll(fold, 2);
  const second = [...fold.state.trials.values()].find(
    ({ state }) => state === "queued" || state === "running",
  );
  assert.ok(second !== undefined);
  fold.must("trial-stop", { trial: second.trial });
  leaveAll(fold, 1);
  const told = historyOf(fold.state, sweepOf(fold));
  const of = (number: number) => told.find((one) => one.number === number);
  assert.deepEqual([of(first.number)?.state, of(first.number)?.values], ["stopped", [-0.9]]);
  assert.deepEqual([of(second.number)?.state, of(second.number)?.values], ["stopped", null]);
});

test("STOP-5: stopped in the middle of anything, each trial has one outcome and the sweep ends", () => {
  const step = fc.record({
    stop: fc.boolean(),
    which: fc.nat(12),
    value: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const methods = fc.constantFrom("random", "tpe", "gp");
  fc.assert(
    fc.property(methods, fc.array(step, { maxLength: 30 }), (method, steps) => {
      const fold = started({ stopping: asha, search: { method, trials: 8, seed: 4 } });
      for (const { stop, value, which } of steps) {
        const running = fold.running();
        const trial = running[which % Math.max(1, running.length)];
        if (stop) fold.command("trial-stop", { trial: `s1-${which + 1}` });
        else if (trial !== undefined) fold.finish(trial, value);
        if (which % 5 === 0) leaveAll(fold, 1 + (which % 3));
      }
      leaveAll(fold, 2);
      runOn(fold);
      assert.equal(sweepOf(fold).state, "done");
      assert.equal(fold.of("TrialFinished").length, sweepOf(fold).proposed);
      assert.equal(fold.state.accounts.get("ada")?.pending, 0);
      assertSameEverywhere(fold);
    }),
    { numRuns: 60 },
  );
});

test("STOP-2: a checkpoint kept by a stopped trial is the beginning of a longer one, not the end of the same", () => {
  const fold = started(
    { stopping: { policy: "none", max: 3 }, search: { method: "random", trials: 1, seed: 1 } },
    1,
  );
  const [trial] = fold.running();
  assert.ok(trial !== undefined);
  const fence = activeAttempt(trial)?.fence ?? 0;
  const kept = { resource: 2, digest: digestOfNumber(7), bytes: 1, metrics: { accuracy: 0.2 }, usedMs: 100 };
  fold.report("box", { kind: "checkpoint", fence, ...kept });
  fold.must("trial-stop", { trial: trial.trial });
  leaveAll(fold, 2);
  assert.deepEqual([trial.state, sweepOf(fold).state], ["stopped", "done"]);
  fold.must("sweep-run", {
    spec: sweepSpec({
      stopping: { policy: "none", max: 3 },
      search: { method: "random", trials: 1, seed: 1 },
    }),
  });
  assert.equal(activeAttempt(fold.trial("s2-1"))?.from?.resource, 2);
});
