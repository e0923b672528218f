/** Removing and restoring a sweep, in the coordinator's core: what is named, what answers no more, what stays, what comes back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { mustGet, type Sweep } from "../../coordinator/state/state.ts";
import { answerQuery } from "../../coordinator/view/answer-query.ts";
import type { QuerySource } from "../../coordinator/view/query-source.ts";
import { lineageViewOf } from "../../coordinator/view/model-answer.ts";
import { digestA, Fold, sweepSpec } from "../support/fold.ts";
import { assertSameEverywhere } from "../support/same-everywhere.ts";
import { playSteps, stepArbitrary } from "../support/steered-sweep.ts";

function started(change = {}): Fold {
  const fold = new Fold();
  fold.open("ada", 10_000);
  fold.join("box", 2);
  submit(fold, change);
  return fold;
}

function submit(fold: Fold, change = {}): void {
  fold.must("sweep-run", { spec: sweepSpec(change) });
}

function runOn(fold: Fold): void {
  let guard = 0;
  while (fold.running().length > 0 && guard++ < 500)
    for (const trial of fold.running()) if (trial.state === "running") fold.finish(trial, trial.number / 100);
}

function sweepOf(fold: Fold, id = "s1"): Sweep {
  return mustGet(fold.state.sweeps, id, "sweep");
}

function refusal(answer: ReturnType<Fold["command"]>): string {
  return answer.ok ? "" : `${answer.refusal.code}: ${answer.refusal.message}`;
}

async function listed(fold: Fold, body: object = {}): Promise<string[]> {
  const { settings, state } = fold;
  const answer = await answerQuery({ settings, state } as unknown as QuerySource, "sweeps", body); // lists ask for no more
  assert.ok(answer.ok);
  return (answer.value as { sweeps: { sweep: string }[] }).sweeps.map(({ sweep }) => sweep);
}

test("REMOVE-1: a removed sweep is in no list, its record answers no more, and restored it is and does again", async () => {
  const fold = started();
  runOn(fold);
  assert.deepEqual(fold.must("sweep-remove", { sweep: "s1", why: "wrong data" }), {
    sweep: "s1",
    trials: 6,
    spent: sweepOf(fold).spent,
    dependents: [],
  });
  assert.deepEqual([await listed(fold), await listed(fold, { removed: true })], [[], ["s1"]]);
  assert.equal(fold.state.records.size, 0);
  submit(fold);
  assert.deepEqual([sweepOf(fold, "s2").reused, fold.running().length], [0, 2], "done anew");
  assert.equal(sweepOf(fold, "s2").repeats, undefined);
  const [first] = fold.running();
  assert.ok(first !== undefined);
  assert.equal(first.resumes, null, "and from the beginning");
  fold.finish(first, 0.9);
  fold.must("sweep-restore", { sweep: "s1" });
  assert.deepEqual(await listed(fold), ["s2", "s1"]);
  assert.equal(fold.state.records.get(first.key), first.trial, "what was done anew answers");
  runOn(fold);
  assert.equal(sweepOf(fold, "s2").state, "done");
  submit(fold);
  assert.equal(sweepOf(fold, "s3").reused, 6);
  assertSameEverywhere(fold);
});

test("REMOVE-1: a trial that a person stopped answers for nothing after it was restored either", () => {
  const fold = started();
  fold.must("trial-stop", { trial: "s1-3" });
  runOn(fold);
  const before = [...fold.state.records.values()].toSorted();
  fold.must("sweep-remove", { sweep: "s1" });
  fold.must("sweep-restore", { sweep: "s1" });
  assert.deepEqual([...fold.state.records.values()].toSorted(), before);
  assert.equal(before.includes("s1-3"), false);
});

test("REMOVE-2: what stands on it is named and takes force; it stays as it is, with its lineage", () => {
  const fold = started({ register: { model: "best", alias: "champion" } });
  runOn(fold);
  submit(fold, { name: "again" });
  submit(fold, { name: "longer", stopping: { policy: "none", max: 3 } });
  runOn(fold);
  const said = refusal(fold.command("sweep-remove", { sweep: "s1" }));
  assert.equal(
    said,
    "conflict: on s1 stands model best@1 (champion), 6 trials of s2 answered from it, 6 trials of s3 begun from its checkpoints; they stay as they are, and `--force` removes it all the same",
  );
  const before = structuredClone([fold.state.models, sweepOf(fold, "s2"), fold.trial("s2-1")]);
  const { dependents } = fold.must("sweep-remove", { sweep: "s1", force: true }) as { dependents: string[] };
  assert.equal(dependents.length, 3);
  assert.deepEqual([fold.state.models, sweepOf(fold, "s2"), fold.trial("s2-1")], before);
  const lineage = lineageViewOf(fold.state, "best", "champion", fold.settings);
  assert.ok(lineage.ok && lineage.value.trial.trial === "s1-6");
  assertSameEverywhere(fold);
});

test("REMOVE-2: a dataset version that one of its trials built is named", () => {
  const fold = started();
  runOn(fold);
  const content = {
    dataset: "reviews",
    kind: "text",
    digest: digestA,
    bytes: 3,
    rows: { train: 1, validation: 1, test: 1 },
    labels: ["a"],
    badRows: 0,
    recipe: digestA,
    trial: "s1-2",
    check: { failed: 0, warned: 0, sentences: [] },
  };
  fold.must("dataset-add", content);
  assert.match(
    refusal(fold.command("sweep-remove", { sweep: "s1" })),
    /^conflict: on s1 stands dataset reviews@1; /,
  );
  fold.must("sweep-remove", { sweep: "s1", force: true });
  assert.equal(fold.state.datasets.get("reviews")?.versions.length, 1);
});

test("REMOVE-2: a sweep that is out of sight itself stands on nothing", () => {
  const fold = started();
  runOn(fold);
  submit(fold);
  assert.match(refusal(fold.command("sweep-remove", { sweep: "s1" })), /6 trials of s2 answered/);
  fold.must("sweep-remove", { sweep: "s2" });
  fold.must("sweep-remove", { sweep: "s1" });
});

test("REMOVE-3: one that runs, another's, one that is removed or never was are refused with what would be right", () => {
  const fold = started();
  fold.open("bob", 10);
  assert.match(
    refusal(fold.command("sweep-remove", { sweep: "s1" })),
    /^conflict: s1 has not ended; `trialmesh sweep stop s1`/,
  );
  runOn(fold);
  assert.match(
    refusal(fold.command("sweep-remove", { sweep: "s1" }, "bob", "requester")),
    /^forbidden: s1 belongs to ada/,
  );
  assert.match(refusal(fold.command("sweep-restore", { sweep: "s1" })), /^conflict: s1 is not removed/);
  fold.must("sweep-remove", { sweep: "s1" }, "ada", "requester");
  assert.match(
    refusal(fold.command("sweep-remove", { sweep: "s1", force: true })),
    /^conflict: s1 is removed already, by ada/,
  );
  assert.match(
    refusal(fold.command("sweep-extend", { sweep: "s1", trials: 1 })),
    /^conflict: s1 was removed by ada; .*sweep restore s1/,
  );
  assert.match(refusal(fold.command("sweep-restore", { sweep: "s1" }, "bob", "requester")), /^forbidden/);
  assert.match(refusal(fold.command("sweep-remove", { sweep: "s5" })), /^unknown/);
});

test("REMOVE-4: a sweep that repeats one goes its own way once that is removed in the middle, and ends", () => {
  const change = { search: { method: "tpe", trials: 8, seed: 2 } } as const;
  const fold = started(change);
  fold.must("trial-stop", { trial: "s1-1" });
  runOn(fold);
  submit(fold, change);
  assert.equal(sweepOf(fold, "s2").repeats, "s1");
  fold.must("sweep-remove", { sweep: "s1", force: true });
  runOn(fold);
  assert.deepEqual([sweepOf(fold, "s2").state, sweepOf(fold, "s2").proposed], ["done", 8]);
  assertSameEverywhere(fold);
});

test("REMOVE-5: removed, restored, extended and run again in whatever order, journal and store give the same state", () => {
  const turn = fc.constantFrom("remove", "restore", "extend", "again", "run");
  fc.assert(
    fc.property(
      fc.array(stepArbitrary, { maxLength: 15 }),
      fc.array(turn, { maxLength: 15 }),
      (steps, turns) => {
        const fold = started({ search: { method: "random", trials: 3, seed: 3 } });
        playSteps(fold, steps);
        for (const what of turns) {
          const id = `s${fold.state.sweeps.size}`;
          if (what === "remove") fold.command("sweep-remove", { sweep: id, force: true });
          else if (what === "restore") fold.command("sweep-restore", { sweep: id });
          else if (what === "extend") fold.command("sweep-extend", { sweep: id, trials: 1 });
          else if (what === "again") submit(fold, { search: { method: "random", trials: 3, seed: 3 } });
          else runOn(fold);
        }
        for (const [key, trial] of fold.state.records) {
          assert.equal(sweepOf(fold, fold.trial(trial).sweep).removed, undefined, "nothing removed answers");
          assert.equal(fold.trial(trial).key, key);
        }
        assertSameEverywhere(fold);
      },
    ),
    { numRuns: 80 },
  );
});
