/** Pausing and resuming a sweep, in the coordinator's core: what gets a slot, what leaves, what is said, what is kept. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Sweep } from "../../coordinator/state/state.ts";
import { activeAttempt, mustGet } from "../../coordinator/state/state.ts";
import { summaryOf } from "../../coordinator/view/sweep-answer.ts";
import { sweepWhyViewOf } from "../../coordinator/view/sweep-why-answer.ts";
import { whyViewOf } from "../../coordinator/view/why-answer.ts";
import { Fold, sweepSpec } from "../support/fold.ts";
import { assertSameEverywhere } from "../support/same-everywhere.ts";
import { leaveAll, playSteps, stepArbitrary } from "../support/steered-sweep.ts";

const asha = { policy: "asha", min: 1, max: 4, eta: 2 } as const;

function started(change = {}, tokens = 10_000): Fold {
  const fold = new Fold();
  fold.open("ada", tokens);
  fold.join("box", 2);
  fold.must("sweep-run", { spec: sweepSpec(change) });
  return fold;
}

function sweepOf(fold: Fold, id = "s1"): Sweep {
  return mustGet(fold.state.sweeps, id, "sweep");
}

function refusal(answer: ReturnType<Fold["command"]>): string {
  return answer.ok ? "" : `${answer.refusal.code}: ${answer.refusal.message}`;
}

test("PAUSE-1: what runs goes on to its next rung and is judged there; nothing else gets a slot until it is resumed", () => {
  const fold = started({ stopping: asha });
  assert.deepEqual(fold.must("sweep-pause", { sweep: "s1", why: "a better idea" }), {
    sweep: "s1",
    running: 2,
  });
  assert.equal(fold.of("CancelRequested").length, 0);
  const [first, second] = fold.running();
  assert.ok(first !== undefined && second !== undefined);
  fold.finish(first, 0.9);
  fold.finish(second, 0.8);
  assert.deepEqual([first.rungs.length, second.rungs.length, fold.running().length], [1, 1, 0]);
  const { proposed } = sweepOf(fold);
  fold.pass(60_000);
  assert.deepEqual([sweepOf(fold).proposed, fold.running().length], [proposed, 0]);
  fold.must("sweep-resume", { sweep: "s1" });
  assert.equal(fold.running().length, 2);
  while (fold.running().length > 0) for (const trial of fold.running()) fold.finish(trial, trial.number / 10);
  assert.deepEqual([sweepOf(fold).state, sweepOf(fold).proposed], ["done", 6]);
});

test("PAUSE-2: with `now` what runs is asked to leave at its next checkpoint, and goes on from there", () => {
  const fold = started({ stopping: { policy: "none", max: 8 } });
  const [first] = fold.running();
  assert.ok(first !== undefined);
  fold.must("sweep-pause", { sweep: "s1", now: true });
  const asked = fold.of("CancelRequested");
  assert.equal(asked.length, 2);
  assert.ok(asked.every((event) => event.kind === "CancelRequested" && event.how === "checkpoint"));
  leaveAll(fold, 3);
  assert.equal(fold.running().length, 0);
  assert.equal(fold.state.accounts.get("ada")?.pending, 0);
  fold.must("sweep-resume", { sweep: "s1" });
  assert.equal(activeAttempt(first)?.from?.resource, 3);
});

test("PAUSE-2: a sweep paused gently can be paused at once afterwards, and a second time of either kind is refused", () => {
  const fold = started();
  fold.must("sweep-pause", { sweep: "s1" });
  assert.match(
    refusal(fold.command("sweep-pause", { sweep: "s1" })),
    /^conflict: s1 is paused already, by ada; .*resume s1/,
  );
  fold.must("sweep-pause", { sweep: "s1", now: true });
  assert.equal(fold.of("CancelRequested").length, 2);
  assert.match(refusal(fold.command("sweep-pause", { sweep: "s1", now: true })), /paused already/);
});

test("PAUSE-3: only who may command a sweep pauses it, and only what is paused is resumed", () => {
  const fold = started();
  fold.open("bob", 10);
  const asBob = (name: "sweep-pause" | "sweep-resume") =>
    refusal(fold.command(name, { sweep: "s1" }, "bob", "requester"));
  assert.match(asBob("sweep-pause"), /^forbidden: s1 belongs to ada/);
  assert.match(refusal(fold.command("sweep-resume", { sweep: "s1" })), /^conflict: s1 is not paused/);
  fold.must("sweep-pause", { sweep: "s1" }, "ada", "requester");
  assert.match(asBob("sweep-resume"), /^forbidden/);
  assert.match(refusal(fold.command("sweep-pause", { sweep: "s8" })), /^unknown: there is no sweep s8/);
  assert.match(refusal(fold.command("sweep-pause", { sweep: "s1" }, "vic", "viewer")), /^forbidden/);
  fold.must("sweep-stop", { sweep: "s1" });
  assert.match(refusal(fold.command("sweep-resume", { sweep: "s1" })), /^conflict: s1 is already stopping/);
});

test("PAUSE-4: lists, the sweep's why and the trial's say that it is paused, by whom, and what lets it go on", () => {
  const fold = started();
  fold.must("sweep-pause", { sweep: "s1", why: "lunch" });
  const queued = [...fold.state.trials.values()].find(({ state }) => state === "queued");
  assert.ok(queued !== undefined);
  const summary = summaryOf(fold.state, sweepOf(fold), fold.settings);
  assert.equal(summary.state, "paused");
  assert.equal(summary.waiting, "paused by ada: lunch; 2 trials go on to their next rung");
  assert.deepEqual(summary.paused, { by: "ada", why: "lunch", at: fold.at, now: false });
  const why = whyViewOf(fold.state, queued, fold.settings);
  assert.equal(why.sentence, "Its sweep s1 is paused by ada; `trialmesh sweep resume s1` lets it go on.");
  assert.deepEqual(why.start, { at: null, because: "when s1 is resumed" });
  assert.match(
    sweepWhyViewOf(fold.state, sweepOf(fold), fold.settings).sentence,
    /^It is paused by ada: lunch; .*resume s1/,
  );
  fold.must("sweep-stop", { sweep: "s1" });
  assert.equal(summaryOf(fold.state, sweepOf(fold), fold.settings).paused, undefined);
});

test("PAUSE-5: another sweep of the same requester gets the slots meanwhile, and a trial proposed by hand waits", () => {
  const fold = started();
  fold.must("sweep-pause", { sweep: "s1" });
  fold.must("sweep-run", { spec: sweepSpec({ name: "other", trialSeed: 2 }) });
  for (const trial of fold.running()) fold.finish(trial, 0.5);
  assert.deepEqual([...new Set(fold.running().map(({ sweep }) => sweep))], ["s2"]);
  const { trial } = fold.must("trial-propose", { sweep: "s1", model: "alpha", params: { lr: 0.25 } }) as {
    trial: string;
  };
  assert.equal(fold.trial(trial).state, "queued");
});

test("PAUSE-6: a sweep that has nothing left ends while it is paused", () => {
  const fold = started({ search: { method: "random", trials: 2, seed: 1 } });
  fold.must("sweep-pause", { sweep: "s1" });
  for (const trial of fold.running()) fold.finish(trial, 0.5);
  assert.deepEqual([sweepOf(fold).state, sweepOf(fold).paused], ["done", undefined]);
});

test("PAUSE-7: whatever is paused, resumed, lost and finished in whatever order, nothing is offered while paused, the books are right, and journal and store give the same state", () => {
  const methods = fc.constantFrom("random", "tpe", "sobol");
  fc.assert(
    fc.property(
      methods,
      fc.boolean(),
      fc.array(stepArbitrary, { maxLength: 40 }),
      (method, isRung, steps) => {
        const search = { method, trials: 7, seed: 3 } as const;
        const fold = started({ search, stopping: isRung ? asha : { policy: "none", max: 2 } }, 400);
        playSteps(fold, steps);
        assertSameEverywhere(fold);
      },
    ),
    { numRuns: 150 },
  );
});
