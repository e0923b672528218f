/** A built dataset goes on record by the mesh itself: in the step that completes its trial, once, and only as its sweep may say. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import * as z from "zod";
import { submitBuild } from "../../client/dataset/submit-build.ts";
import { runJob } from "../../agent/child/run-job.ts";
import type { Job } from "../../agent/runner/runner.ts";
import type { FromChild } from "../../agent/runner/wire.ts";
import { OwedOrders } from "../../coordinator/leader/owed-orders.ts";
import { activeAttempt } from "../../coordinator/state/state.ts";
import { expectationBytes } from "../../data/expectation/expectation-artifact.ts";
import { expectationSchema } from "../../data/expectation/expectation.ts";
import { recipeOf } from "../../data/recipe/recipe.ts";
import type { BuiltDataset } from "../../protocol/dataset.ts";
import { offerSchema } from "../../protocol/order.ts";
import type { MeshClient } from "../../protocol/client.ts";
import { accept, parseOutside, type Outcome } from "../../protocol/refusal.ts";
import { sweepSpecSchema } from "../../protocol/sweep.ts";
import type { Report } from "../../protocol/report.ts";
import { buildFolder, declared, put } from "../support/dataset-build.ts";
import { openFakeMesh } from "../support/fake-client.ts";
import { capability, digestA, digestOfNumber, Fold, sweepSpec } from "../support/fold.ts";

const rows = { train: 80, validation: 10, test: 10 };
const held = { failed: 0, warned: 0, sentences: [] };
const torn = { failed: 1, warned: 0, sentences: ["no-conflicts: a.csv:7 and a.csv:9"] };
const recipe = "b".repeat(64);
const expectations = "e".repeat(64);

const facts = (change: Partial<BuiltDataset> = {}): BuiltDataset => ({
  dataset: "reviews",
  kind: "text",
  rows,
  labels: ["bad", "good"],
  badRows: 2,
  check: held,
  ...change,
});

const buildSpec = (change: Parameters<typeof sweepSpec>[0] = {}) =>
  sweepSpec({
    name: "reviews",
    task: "dataset",
    dataset: { name: "reviews", digest: digestA, bytes: 9, rows: { train: 0, validation: 0, test: 0 } },
    search: { method: "grid", trials: 1, seed: 1 },
    models: [{ model: "build", space: {} }],
    objective: { metric: "rows", goal: "maximize" },
    records: { dataset: "reviews", recipe, expectations },
    ...change,
  });

function opened(): Fold {
  const fold = new Fold();
  fold.open("ada", 10_000);
  const { rates, ...rest } = capability();
  const builds = rates.map((rate) => ({ ...rate, kind: "dataset/build" }));
  fold.joinWith("box", 1, { ...rest, rates: [...rates, ...builds] });
  return fold;
}

/** What the agent reports when the build that runs is done. */
function doneReport(fold: Fold, built?: BuiltDataset): Extract<Report, { kind: "finished" }> {
  const [trial] = fold.running();
  const attempt = trial === undefined ? null : activeAttempt(trial);
  assert.ok(attempt !== null, "a build runs");
  return {
    kind: "finished",
    fence: attempt.fence,
    resource: attempt.target,
    digest: digestOfNumber(7),
    bytes: 1_000,
    metrics: { rows: 100 },
    usedMs: 500,
    ...(built === undefined ? {} : { built }),
  };
}

function run(fold: Fold, spec: ReturnType<typeof buildSpec>): void {
  fold.must("sweep-run", { spec });
}

function refusalOf(outcome: Outcome<unknown>): string {
  return outcome.ok ? assert.fail("accepted") : outcome.refusal.message;
}

test("DSET-4: the step that completes a build records the version, for whoever asked, with what its expectations came to", () => {
  const fold = opened();
  fold.open("bob", 10_000);
  fold.must("sweep-run", { spec: buildSpec() }, "bob", "requester");
  const report = doneReport(fold, facts({ check: torn }));
  const before = fold.events.length;
  fold.report("box", report);
  const kinds = fold.events.slice(before).map(({ event }) => event.kind);
  assert.ok(kinds.includes("DatasetAdded") && kinds.includes("TrialFinished"), kinds.join(", "));
  assert.deepEqual(fold.state.datasets.get("reviews")?.versions, [
    {
      dataset: "reviews",
      kind: "text",
      rows,
      labels: ["bad", "good"],
      badRows: 2,
      check: torn,
      digest: digestOfNumber(7),
      bytes: 1_000,
      recipe,
      trial: "s1-1",
      version: 1,
      by: "bob",
      at: fold.at,
    },
  ]);
});

test("DSET-4: once: a report that comes again adds nothing, before and after a takeover", () => {
  const fold = opened();
  run(fold, buildSpec());
  const report = doneReport(fold, facts());
  fold.report("box", report);
  fold.report("box", report);
  const next = new Fold(fold.settings, fold.state);
  next.report("box", report);
  assert.deepEqual([fold.of("DatasetAdded").length, next.of("DatasetAdded").length], [1, 0]);
});

test("DSET-4: a leader that took over while it was being built records it as the one before would have", () => {
  const fold = opened();
  run(fold, buildSpec());
  const report = doneReport(fold, facts());
  const next = new Fold(fold.settings, fold.state);
  next.report("box", report);
  next.report("box", report);
  assert.equal(next.of("DatasetAdded").length, 1);
  assert.equal(next.state.datasets.get("reviews")?.versions.length, 1);
});

test("DSET-4: a trial answered from the record records what is missing, once, and not under other expectations", () => {
  const fold = opened();
  run(fold, buildSpec({ records: undefined }));
  fold.report("box", doneReport(fold, facts()));
  assert.equal(fold.of("DatasetAdded").length, 0, "nobody asked");
  run(fold, buildSpec());
  assert.equal(fold.trial("s2-1").reusedFrom, "s1-1");
  assert.equal(fold.of("DatasetAdded").length, 0, "what is expected now was not looked at then");
  const plain = { dataset: "reviews", recipe, expectations: null };
  run(fold, buildSpec({ records: plain }));
  run(fold, buildSpec({ records: plain }));
  assert.equal(fold.of("DatasetAdded").length, 1);
  assert.equal(fold.state.datasets.get("reviews")?.versions[0]?.trial, "s1-1");
});

test("DSET-4: without facts, or with expectations that could not be asked, it is left to the command", () => {
  for (const built of [undefined, facts({ check: null }), facts({ dataset: "others" })]) {
    const fold = opened();
    run(fold, buildSpec());
    fold.report("box", doneReport(fold, built));
    assert.equal(fold.trial("s1-1").state, "completed");
    assert.equal(fold.state.datasets.size, 0);
  }
});

test("DSET-4: no sweep records what it does not build, nor for a role that may not", () => {
  const fold = opened();
  const other = buildSpec({ records: { dataset: "theirs", recipe, expectations: null } });
  assert.match(
    refusalOf(fold.command("sweep-run", { spec: other })),
    /builds reviews and is to record theirs/u,
  );
  const training = sweepSpec({ records: { dataset: "sweep", recipe, expectations: null } });
  assert.match(refusalOf(fold.command("sweep-run", { spec: training })), /task work builds no dataset/u);
  for (const role of ["viewer", "agent"] as const) {
    const outcome = fold.command("sweep-run", { spec: buildSpec() }, "eve", role);
    assert.equal(outcome.ok ? "" : outcome.refusal.code, "forbidden", role);
  }
  // An agent that says so of what it was not asked to build.
  run(fold, sweepSpec());
  const [trial] = fold.running();
  const fence = trial === undefined ? 0 : (activeAttempt(trial)?.fence ?? 0);
  const report = { fence, resource: 1, digest: digestA, bytes: 1, metrics: { accuracy: 0.5 }, usedMs: 1 };
  fold.report("box", { kind: "finished", ...report, built: facts() });
  assert.equal(fold.state.datasets.size, 0);
});

test("BUILD-3: the lease brings what is expected as one more part", () => {
  const fold = opened();
  run(fold, buildSpec({ parts: [recipe] }));
  const [order] = new OwedOrders(1_000).allDue(fold.state, fold.at);
  const { leases } = offerSchema.parse({ ...order?.body, expires: 1 });
  assert.deepEqual(
    leases.map((lease) => [lease.expectations, lease.parts]),
    [[expectations, [recipe, expectations]]],
  );
});

test("DSET-4: a mesh that does not know what to record gets the build all the same", async () => {
  const older = z.strictObject({ spec: sweepSpecSchema.omit({ records: true }) });
  const heard: unknown[] = [];
  const { client } = openFakeMesh();
  const mesh: MeshClient = {
    ...client,
    command: async (name, body) => {
      const read = parseOutside(older, body, name);
      if (!read.ok) return read;
      heard.push(read.value.spec);
      return accept({ sweep: "s1" }) as never;
    },
  };
  const submitted = await submitBuild(mesh, buildSpec(), () => {});
  assert.ok(submitted.ok, submitted.ok ? "" : submitted.refusal.message);
  const { records: _, ...plain } = buildSpec();
  assert.deepEqual(heard, [plain]);
});

async function buildWith(expect: readonly unknown[]): Promise<Extract<FromChild, { kind: "finished" }>> {
  put("notes.csv", "label,text\na,one text\nb,One  text\na,two\nb,three\na,four\nb,five\n");
  const read = await recipeOf(
    declared(
      "name: notes\nsources: [{ path: notes.csv }]\nplan: [{ split: { train: 1, validation: 0, test: 0 } }]\ntext: text\nlabel: label\n",
    ),
  );
  assert.ok(read.ok, read.ok ? "" : read.refusal.message);
  const [recipePath, expectationsPath] = ["recipe.json", "expect.json"].map((name) =>
    join(buildFolder, name),
  );
  assert.ok(recipePath !== undefined && expectationsPath !== undefined);
  writeFileSync(recipePath, JSON.stringify(read.value.recipe));
  writeFileSync(expectationsPath, expectationBytes(expect.map((each) => expectationSchema.parse(each))));
  const job: Job = {
    fence: 1,
    trial: "s1-1",
    task: "dataset",
    model: "build",
    params: {},
    seed: 1,
    backend: "none",
    datasetPath: recipePath,
    parts: Object.fromEntries(read.value.paths),
    expectationsPath,
    program: null,
    fromCheckpointPath: null,
    fromResource: 0,
    targetResource: 1,
    checkpointDir: join(buildFolder, "job"),
    memoryMiB: 512,
  };
  const events: FromChild[] = [];
  await runJob(job, { emit: (event) => events.push(event), stopping: () => false, ownProcess: false });
  const finished = events.find((event) => event.kind === "finished");
  assert.ok(finished?.kind === "finished", JSON.stringify(events));
  assert.equal(readFileSync(finished.path).length, finished.bytes);
  return finished;
}

test("BUILD-3: who builds a version says what is in it and what its expectations came to", async () => {
  const { built } = await buildWith([{ kind: "no-conflicts" }, { kind: "rows", min: 1 }]);
  assert.deepEqual(
    [built?.dataset, built?.kind, built?.rows.train, built?.labels],
    ["notes", "text", 6, ["a", "b"]],
  );
  assert.equal(built?.check?.failed, 1);
  assert.match(built.check.sentences[0] ?? "", /notes\.csv:[23]/u);
  const unaskable = await buildWith([{ kind: "not-null", column: "nowhere" }]);
  assert.equal(unaskable.built?.check, null);
});
