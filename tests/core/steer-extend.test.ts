/** Extending a sweep, in the coordinator's core: what it goes on from, what is refused, what journal and store say of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mustGet, type Sweep } from "../../coordinator/state/state.ts";
import { summaryOf } from "../../coordinator/view/sweep-answer.ts";
import { Fold, sweepSpec } from "../support/fold.ts";
import { assertSameEverywhere, loadedState } from "../support/same-everywhere.ts";
import { leaveAll, playSteps, stepArbitrary } from "../support/steered-sweep.ts";

const asha = { policy: "asha", min: 1, max: 4, eta: 2 } as const;
const methods = ["random", "sobol", "tpe", "gp", "cma-es", "pbt", "auto"] as const;

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

/** Worth by its parameters alone, so that the order of results does not show. */
function runOn(fold: Fold): void {
  let guard = 0;
  while (fold.running().length > 0 && guard++ < 800)
    for (const trial of fold.running())
      if (trial.state === "running") fold.finish(trial, 1 - Math.abs(Number(trial.params["lr"]) - 0.3));
}

function paramsOf(fold: Fold, id = "s1"): readonly string[] {
  return Array.from({ length: sweepOf(fold, id).proposed }, (_, index) =>
    JSON.stringify(fold.trial(`${id}-${index + 1}`).params),
  );
}

test("EXTEND-1: a sweep that has ended goes on from where it was: it tries what a longer one would have tried", () => {
  for (const method of ["random", "sobol"] as const) {
    const fold = started({ search: { method, trials: 4, seed: 3 } });
    runOn(fold);
    assert.equal(sweepOf(fold).state, "done");
    const answer = fold.must("sweep-extend", { sweep: "s1", trials: 5 });
    assert.deepEqual(answer, { sweep: "s1", reopened: true, proposed: 4, total: 9, cap: null });
    assert.equal(summaryOf(fold.state, sweepOf(fold), fold.settings).finishedAt, null);
    runOn(fold);
    const long = started({ search: { method, trials: 9, seed: 3 } });
    runOn(long);
    assert.deepEqual(paramsOf(fold), paramsOf(long), method);
    assertSameEverywhere(fold);
  }
});

test("EXTEND-1: with every method, at the end, in the middle and twice, as many more are tried and none twice", () => {
  for (const method of methods) {
    const fold = started({ search: { method, trials: 6, seed: 3 }, stopping: asha });
    fold.must("sweep-extend", { sweep: "s1", trials: 2 });
    runOn(fold);
    assert.deepEqual([method, sweepOf(fold).state, sweepOf(fold).proposed], [method, "done", 8]);
    for (const more of [3, 1]) fold.must("sweep-extend", { sweep: "s1", trials: more });
    runOn(fold);
    const { counts, proposed, state } = sweepOf(fold);
    assert.deepEqual([method, state, proposed], [method, "done", 12]);
    assert.equal(counts.completed + counts.stopped, 12, method);
    assert.equal(new Set(paramsOf(fold)).size, 12, method);
    assert.ok(sweepOf(fold).best !== null);
    assertSameEverywhere(fold);
  }
});

test("EXTEND-1: the coordinator that was started again in between goes on in the same way", () => {
  const search = { method: "tpe", trials: 12, seed: 5 } as const;
  const one = started({ search });
  runOn(one);
  // What another leader knows: what stands in its store.
  const other = new Fold(one.settings, loadedState(one));
  other.at = one.at;
  for (const fold of [one, other]) {
    assert.ok(fold.command("sweep-extend", { sweep: "s1", trials: 6 }, "ada", "owner", "extended").ok);
    runOn(fold);
  }
  assert.equal(sweepOf(one).proposed, 18);
  assert.deepEqual(paramsOf(one), paramsOf(other));
});

test("EXTEND-2: one that was stopped goes on with as many as it is given; what was cancelled stays so", () => {
  const fold = started({ search: { method: "random", trials: 20, seed: 1 } });
  fold.must("sweep-stop", { sweep: "s1" });
  assert.match(
    refusal(fold.command("sweep-extend", { sweep: "s1", trials: 1 })),
    /^conflict: s1 is being stopped/,
  );
  leaveAll(fold, 0);
  const { proposed } = sweepOf(fold);
  assert.equal(sweepOf(fold).state, "stopped");
  fold.must("sweep-extend", { sweep: "s1", trials: 3 }, "ada", "requester");
  assert.equal(sweepOf(fold).total, proposed + 3);
  runOn(fold);
  assert.deepEqual(
    [sweepOf(fold).state, sweepOf(fold).counts.completed, sweepOf(fold).counts.cancelled],
    ["done", 3, proposed],
  );
  fold.must("sweep-run", { spec: sweepSpec({ name: "later", trialSeed: 3 }) });
  fold.must("sweep-extend", { sweep: "s1", trials: 1 });
  assert.deepEqual(fold.state.open.get("ada"), ["s1", "s2"]);
  assertSameEverywhere(fold);
});

test("EXTEND-3: a sealed sweep takes proposals again, and one from outside as many as it is given", () => {
  const fold = started({ search: { method: "outside", trials: 2, seed: 1 } });
  const propose = (lr: number) =>
    fold.command("trial-propose", { sweep: "s1", model: "alpha", params: { lr } });
  propose(0.1);
  fold.must("sweep-seal", { sweep: "s1" });
  runOn(fold);
  assert.equal(sweepOf(fold).state, "done");
  assert.match(refusal(propose(0.2)), /^conflict: s1 is already done/);
  fold.must("sweep-extend", { sweep: "s1", trials: 2 });
  assert.deepEqual([propose(0.2).ok, propose(0.3).ok, propose(0.4).ok], [true, true, false]);
  runOn(fold);
  assert.deepEqual([sweepOf(fold).state, sweepOf(fold).proposed], ["done", 3]);
});

test("EXTEND-4: what cannot be extended is refused with the reason: its space, its target, its owner, its length", () => {
  const space = { lr: { distribution: "choice", values: [1, 2, 3] } } as const;
  const grid = started({
    search: { method: "grid", trials: 9, seed: 1 },
    models: [{ model: "alpha", space }],
  });
  runOn(grid);
  assert.match(
    refusal(grid.command("sweep-extend", { sweep: "s1", trials: 1 })),
    /^conflict: s1 tries its whole space already: 3 points/,
  );
  const aimed = started({ stopping: { policy: "none", max: 1, target: 0.1 } });
  runOn(aimed);
  leaveAll(aimed, 0);
  assert.match(
    refusal(aimed.command("sweep-extend", { sweep: "s1", trials: 1 })),
    /^conflict: s1 has what it was after: s1-\d+ reached the target 0\.1/,
  );
  const plain = started({ search: { method: "tpe", trials: 6, seed: 1 } });
  plain.open("bob", 10);
  assert.match(
    refusal(plain.command("sweep-extend", { sweep: "s1", trials: 1 }, "bob", "requester")),
    /^forbidden: s1 belongs to ada/,
  );
  assert.match(refusal(plain.command("sweep-extend", { sweep: "s1" })), /^invalid: .*1 or more/);
  assert.match(
    refusal(plain.command("sweep-extend", { sweep: "s1", trials: 20_000 })),
    /^invalid: s1 would have 20006 trials; with tpe a sweep has 20000 at most/,
  );
  assert.match(refusal(plain.command("sweep-extend", { sweep: "s1", trials: -1 })), /^invalid/);
  assert.match(
    refusal(plain.command("sweep-extend", { sweep: "s7", trials: 1 })),
    /^unknown: there is no sweep s7/,
  );
});

test("EXTEND-5: tokens raise a cap that there is, alone only where the sweep runs, and what waited for them goes on", () => {
  const fold = started({ cap: 1_000 });
  runOn(fold);
  assert.equal(summaryOf(fold.state, sweepOf(fold), fold.settings).state, "waiting");
  const { proposed } = sweepOf(fold);
  assert.deepEqual(fold.must("sweep-extend", { sweep: "s1", tokens: 60_000 }), {
    sweep: "s1",
    reopened: false,
    proposed,
    total: 6,
    cap: 61_000,
  });
  runOn(fold);
  assert.equal(sweepOf(fold).state, "done");
  assert.match(
    refusal(fold.command("sweep-extend", { sweep: "s1", tokens: 1 })),
    /^invalid: s1 has ended, and tokens alone/,
  );
  fold.must("sweep-extend", { sweep: "s1", trials: 2, tokens: 60_000 });
  runOn(fold);
  assert.deepEqual([sweepOf(fold).proposed, sweepOf(fold).spec.cap], [8, 121_000]);
  const uncapped = started();
  assert.match(
    refusal(uncapped.command("sweep-extend", { sweep: "s1", tokens: 5 })),
    /^invalid: s1 has no cap of its own.*budget grant ada/,
  );
  const huge = started({ cap: Number.MAX_SAFE_INTEGER - 1 });
  assert.match(refusal(huge.command("sweep-extend", { sweep: "s1", tokens: 5 })), /^invalid/);
  assertSameEverywhere(fold);
});

test("EXTEND-6: at its second end a better best is a new version, and the same best is the version it was", () => {
  const fold = started({
    register: { model: "best", alias: "champion" },
    search: { method: "random", trials: 2, seed: 1 },
  });
  const runAt = (accuracy: number) => {
    while (fold.running().length > 0) for (const trial of fold.running()) fold.finish(trial, accuracy);
  };
  runAt(0.5);
  fold.must("sweep-extend", { sweep: "s1", trials: 1 });
  runAt(0.4);
  assert.equal(mustGet(fold.state.models, "best", "model").versions.length, 1);
  fold.must("sweep-extend", { sweep: "s1", trials: 1 });
  runAt(0.8);
  const model = mustGet(fold.state.models, "best", "model");
  assert.deepEqual([model.versions.length, model.aliases["champion"]], [2, 2]);
  assert.deepEqual(sweepOf(fold).registered, { model: "best", version: 2, alias: "champion" });
  assertSameEverywhere(fold);
});

test("EXTEND-7: a sweep that repeats an extended one is answered for all of its trials", () => {
  const change = { search: { method: "tpe", trials: 5, seed: 2 } } as const;
  const fold = started(change);
  runOn(fold);
  fold.must("sweep-extend", { sweep: "s1", trials: 4 });
  runOn(fold);
  fold.must("sweep-run", { spec: sweepSpec({ search: { ...change.search, trials: 9 } }) });
  assert.equal(fold.running().length, 0);
  assert.deepEqual([sweepOf(fold, "s2").state, sweepOf(fold, "s2").reused], ["done", 9]);
  assert.deepEqual(paramsOf(fold, "s2"), paramsOf(fold, "s1"));
});

test("EXTEND-8: extended in the middle of anything, the books are right, and journal and store give the same state", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...methods),
      fc.boolean(),
      fc.array(stepArbitrary, { maxLength: 40 }),
      (method, isRung, steps) => {
        const search = { method, trials: 4, seed: 3 } as const;
        const fold = started({ search, stopping: isRung ? asha : { policy: "none", max: 2 } });
        playSteps(fold, steps);
        assertSameEverywhere(fold);
        fold.command("sweep-resume", { sweep: "s1" });
        leaveAll(fold, 1);
        runOn(fold);
        assert.ok(["done", "stopped"].includes(sweepOf(fold).state), sweepOf(fold).state);
        fold.must("sweep-extend", { sweep: "s1", trials: 2 });
        runOn(fold);
        assert.ok(sweepOf(fold).finishedAt !== null);
        assertSameEverywhere(fold);
      },
    ),
    { numRuns: 80 },
  );
});
