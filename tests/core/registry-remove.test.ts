/** Removing and restoring models, datasets and versions: what is named, what nothing new stands on, what stays, what comes back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { referredTo } from "../../coordinator/collect/reference.ts";
import { defaultRetention } from "../../coordinator/collect/default-retention.ts";
import { removalOf } from "../../coordinator/registry/remove-entry.ts";
import { resolveVersion } from "../../coordinator/registry/resolve-version.ts";
import { mustGet, type Model } from "../../coordinator/state/state.ts";
import { datasetsViewOf, datasetViewOf } from "../../coordinator/view/dataset-answer.ts";
import { lineageViewOf, modelsViewOf, modelViewOf } from "../../coordinator/view/model-answer.ts";
import { digestA, Fold, sweepSpec } from "../support/fold.ts";
import { assertSameEverywhere } from "../support/same-everywhere.ts";

const rows = { train: 60, validation: 20, test: 20 };
const hash = (letter: string) => letter.repeat(64);

/** `lang@1` (s1), `lang@2` (s2) … each better than the one before; champion on the newest. */
function registered(versions = 2): Fold {
  const fold = new Fold();
  fold.open("ada", 100_000);
  fold.join("box", 2);
  for (let seed = 1; seed <= versions; seed++) register(fold, seed);
  return fold;
}

function register(fold: Fold, seed: number, change = {}): void {
  const spec = sweepSpec({
    search: { method: "random", trials: 1, seed },
    register: { model: "lang", alias: "champion" },
    reuse: false,
    ...change,
  });
  fold.must("sweep-run", { spec });
  runOn(fold, seed);
}

function runOn(fold: Fold, seed: number): void {
  while (fold.running().length > 0)
    for (const trial of fold.running()) fold.finish(trial, seed / 100 + trial.number / 1000);
}

function dataset(letter: string): object {
  return {
    dataset: "reviews",
    kind: "text",
    digest: hash(letter),
    bytes: 1_000,
    rows,
    labels: ["bad", "good"],
    badRows: 0,
    recipe: hash("f"),
    trial: null,
    check: { failed: 0, warned: 0, sentences: [] },
  };
}

function modelOf(fold: Fold): Model {
  return mustGet(fold.state.models, "lang", "model");
}

function said(answer: { ok: true } | { ok: false; refusal: { code: string; message: string } }): string {
  return answer.ok ? "" : `${answer.refusal.code}: ${answer.refusal.message}`;
}

const model = (version: number | string | null = null) => ({ of: "model", name: "lang", version });
const reviews = (version: number | string | null = null) => ({ of: "dataset", name: "reviews", version });

function versionsShown(fold: Fold, removed = false): number[] {
  const view = modelViewOf(fold.state, { model: "lang", removed });
  return view.ok ? view.value.versions.map(({ version }) => version) : [];
}

test("REMOVE-3: a removed version is found by no name, is best and newest no more, and a number says who removed it", () => {
  const fold = registered(3);
  fold.must("registry-remove", { ...model(3), force: true, why: "learnt the test rows" });
  assert.deepEqual(versionsShown(fold), [1, 2]);
  assert.deepEqual(versionsShown(fold, true), [1, 2, 3]);
  for (const name of ["best", "newest"]) {
    const found = resolveVersion(fold.state, "lang", name);
    assert.equal(found.ok ? found.value.version : null, 2, name);
  }
  assert.match(
    said(resolveVersion(fold.state, "lang", 3)),
    /^unknown: lang@3 was removed by ada; `trialmesh model restore lang@3`/,
  );
  assert.match(
    said(resolveVersion(fold.state, "lang", "champion")),
    /lang@champion points to version 3: lang@3 was removed.*promote lang@VERSION champion/,
  );
  assert.match(said(resolveVersion(fold.state, "lang", 9)), /has no version 9; it has 1, 2$/);
  const lineage = lineageViewOf(fold.state, "lang", 3, fold.settings);
  assert.equal(lineage.ok ? lineage.value.version.removed?.why : null, "learnt the test rows");
  assertSameEverywhere(fold);
});

test("REMOVE-3: an alias of a removed version can be moved and rolled back, never back to what was removed", () => {
  const fold = registered(3);
  fold.must("registry-remove", { ...model(3), force: true });
  fold.must("registry-remove", { ...model(2) });
  fold.must("model-rollback", { model: "lang", alias: "champion" });
  assert.equal(modelOf(fold).aliases["champion"], 1);
  assert.match(
    said(fold.command("model-promote", { model: "lang", version: 3, alias: "champion" })),
    /was removed by ada/,
  );
  assert.match(
    said(fold.command("model-rollback", { model: "lang", alias: "champion", to: 2 })),
    /was removed by ada/,
  );
  fold.must("registry-restore", model(3));
  fold.must("model-promote", { model: "lang", version: 3, alias: "champion" });
  assertSameEverywhere(fold);
});

test("REMOVE-3, REG-6: a sweep moves its alias off a removed version, whatever that had reached", () => {
  const fold = registered(3);
  fold.must("registry-remove", { ...model(3), force: true });
  const terms = { register: { model: "lang", alias: "champion" }, reuse: false };
  fold.must("sweep-run", {
    spec: sweepSpec({ search: { method: "random", trials: 1, seed: 40 }, ...terms }),
  });
  runOn(fold, 0);
  const { aliases, versions } = modelOf(fold);
  assert.deepEqual([aliases["champion"], versions.length], [4, 4]);
});

test("REMOVE-3: the same bytes registered or added again are the next version, and the one removed does not come back beside it", () => {
  const fold = registered(1);
  fold.must("dataset-add", dataset("a"));
  fold.must("registry-remove", reviews(1));
  assert.deepEqual(fold.must("dataset-add", dataset("a")), { dataset: "reviews", version: 2, added: true });
  assert.match(
    said(fold.command("registry-restore", reviews(1))),
    /reviews@1 is reviews@2 by now, with the same bytes/,
  );
  fold.must("registry-remove", { ...model(), force: true });
  fold.must("sweep-run", {
    spec: sweepSpec({
      search: { method: "random", trials: 1, seed: 1 },
      register: { model: "lang", alias: null },
    }),
  });
  runOn(fold, 1);
  assert.deepEqual(versionsShown(fold), [2]);
  assert.equal(modelOf(fold).versions[0]?.artifact, modelOf(fold).versions[1]?.artifact);
  assertSameEverywhere(fold);
});

test("REMOVE-3: a model without a version in sight is in no list, and says how it comes back", () => {
  const fold = registered(2);
  fold.must("registry-remove", { ...model(), force: true, why: "superseded" });
  assert.deepEqual(modelsViewOf(fold.state, false).models, []);
  assert.deepEqual(
    modelsViewOf(fold.state, true).models.map(({ latest, versions }) => [latest.version, versions]),
    [[2, 0]],
  );
  assert.match(
    said(modelViewOf(fold.state, { model: "lang", removed: false })),
    /model lang is removed; `trialmesh model restore lang`/,
  );
  assert.match(said(resolveVersion(fold.state, "lang", "best")), /model lang is removed/);
  assert.deepEqual(fold.must("registry-restore", model()), { entry: "lang", versions: [1, 2], lost: [] });
  assert.equal(modelsViewOf(fold.state, false).models.length, 1);
});

test("REMOVE-4: what stands on a version is named before it goes, takes force, and stays; asking changes nothing", () => {
  const fold = registered(2);
  fold.must("dataset-add", dataset("a"));
  fold.must("artifact-pin", { digest: digestA, why: "" });
  const spec = { dataset: { name: "reviews", digest: hash("a"), bytes: 1_000, rows } };
  register(fold, 7, { ...spec, register: { model: "other", alias: "champion" } });
  fold.must("sweep-run", { spec: sweepSpec({ ...spec, register: { model: "lang", alias: null } }) });
  const before = fold.events.length;
  const asked = removalOf(fold.state, { of: "dataset", name: "reviews", version: 1 }, fold.at);
  assert.ok(asked.ok);
  const named = [
    "s4, which runs on it",
    "model other@1, trained on it",
    "s3, which ran on it",
    "a pin by ada, which keeps the bytes",
  ];
  assert.deepEqual(asked.value, { entry: "reviews@1", versions: [1], bytes: 1_000, dependents: named });
  assert.equal(fold.events.length, before);
  assert.match(
    said(fold.command("registry-remove", reviews(1))),
    /^conflict: on reviews@1 stands s4, which runs on it, .*--force/,
  );
  assert.deepEqual(fold.must("registry-remove", { ...reviews(1), force: true }), asked.value);
  assert.deepEqual(datasetsViewOf(fold.state, false).datasets, []);
  const view = datasetViewOf(fold.state, { dataset: "reviews", removed: true });
  assert.deepEqual(view.ok ? view.value.uses.map(({ sweep }) => sweep) : [], ["s4", "s3"]);
  const whole = removalOf(fold.state, { of: "model", name: "lang", version: null }, fold.at);
  assert.deepEqual(whole.ok ? whole.value.dependents.slice(0, 2) : [], [
    "s4, which runs and registers into it",
    "alias champion, which points to version 2",
  ]);
  runOn(fold, 8);
  assert.equal(mustGet(fold.state.sweeps, "s4", "sweep").state, "done", "what runs on it runs to its end");
});

test("REMOVE-4: of much that stands on it some is named, what runs first, and how much more there is", () => {
  const fold = new Fold();
  fold.open("ada", 100_000);
  fold.join("box", 2);
  fold.must("dataset-add", dataset("a"));
  const spec = { dataset: { name: "reviews", digest: hash("a"), bytes: 1_000, rows }, reuse: false };
  for (let seed = 1; seed <= 12; seed++) register(fold, seed, { ...spec, register: null });
  fold.must("sweep-run", { spec: sweepSpec(spec) });
  const asked = removalOf(fold.state, { of: "dataset", name: "reviews", version: null }, fold.at);
  assert.ok(asked.ok);
  const { dependents } = asked.value;
  assert.deepEqual(
    [dependents[0], dependents[1], dependents.at(-1), dependents.length],
    ["s13, which runs on it", "s12, which ran on it", "4 more, which ran on it", 10],
  );
});

test("REMOVE-4: a version goes by its owner or an owner of the mesh, not with others' versions", () => {
  const fold = registered(1);
  fold.open("bob", 10_000);
  fold.must(
    "sweep-run",
    { spec: sweepSpec({ trialSeed: 9, register: { model: "lang", alias: null } }) },
    "bob",
    "requester",
  );
  runOn(fold, 5);
  assert.deepEqual(versionsShown(fold), [1, 2]);
  assert.match(
    said(fold.command("registry-remove", model(1), "bob", "requester")),
    /^forbidden: lang@1 belongs to ada/,
  );
  assert.match(
    said(fold.command("registry-remove", { ...model(), force: true }, "bob", "requester")),
    /^forbidden: version 1 of lang belongs to ada; name your own, such as lang@2/,
  );
  fold.must("registry-remove", model(2), "bob", "requester");
  assert.match(said(fold.command("registry-restore", model(2), "cleo", "requester")), /^forbidden/);
  assert.match(
    said(fold.command("registry-note", { ...model(1), note: "mine" }, "bob", "requester")),
    /^forbidden/,
  );
  fold.must("registry-remove", { ...model(), force: true });
  fold.must("registry-restore", model(2), "bob", "requester");
});

test("REMOVE-4: what is not there, or not removed, or removed already, is said", () => {
  const fold = registered(1);
  assert.match(
    said(fold.command("registry-remove", { of: "model", name: "lagn", version: 1 })),
    /^unknown: there is no model lagn; did you mean "lang"/,
  );
  assert.match(said(fold.command("registry-remove", model(4))), /^unknown: lang has no version 4; it has 1/);
  assert.match(said(fold.command("registry-remove", model("stable"))), /^unknown: lang has no alias stable/);
  assert.match(said(fold.command("registry-restore", model(1))), /^conflict: lang@1 is not removed/);
  fold.must("registry-remove", { ...model("champion"), force: true });
  assert.match(
    said(fold.command("registry-remove", { ...model(1), force: true })),
    /^conflict: lang@1 is removed already, by ada/,
  );
  assert.match(said(fold.command("registry-remove", model("newest"))), /model lang is removed/);
  fold.must("dataset-add", dataset("a"));
  assert.match(
    said(fold.command("registry-remove", reviews("champion"))),
    /named by its number, or newest, not "champion"/,
  );
  fold.must("registry-remove", reviews("newest"));
  assert.match(
    said(fold.command("registry-remove", reviews("newest"))),
    /every version of reviews is removed/,
  );
});

test("REMOVE-5: the bytes stay as long as a removed sweep's, then go, and without them nothing comes back", () => {
  const fold = registered(1);
  fold.must("dataset-add", dataset("a"));
  fold.must("registry-remove", { ...model(), force: true });
  fold.must("registry-remove", reviews());
  fold.must("sweep-remove", { sweep: "s1" });
  const [artifact = ""] = modelOf(fold).versions.map((each) => each.artifact);
  const held = (at: number) => {
    const found = referredTo({ state: fold.state, at, retention: defaultRetention });
    return [artifact, hash("a"), hash("f")].map((digest) => found.has(digest));
  };
  assert.deepEqual(held(fold.at + defaultRetention.removedMs - 1), [true, true, true]);
  assert.deepEqual(held(fold.at + defaultRetention.removedMs), [false, false, false]);
  fold.at += defaultRetention.removedMs;
  const digests = [artifact, hash("a"), hash("f")].map((digest) => ({ digest, bytes: 10 }));
  collect(fold, digests);
  assert.match(
    said(fold.command("registry-restore", model(1))),
    /lang@1 cannot come back, for its bytes are no longer kept/,
  );
  assert.match(said(fold.command("registry-restore", reviews())), /reviews@1 cannot come back/);
  assert.deepEqual(fold.must("dataset-add", dataset("a")), { dataset: "reviews", version: 2, added: true });
  assertSameEverywhere(fold);
});

function collect(fold: Fold, found: { digest: string; bytes: number }[]): void {
  const look = { spared: new Set<string>(), before: 1_000, isLook: true, mayCollect: true };
  fold.do({ kind: "collect", collection: { ...look, found } });
  fold.at += defaultRetention.graceMs;
  fold.do({ kind: "collect", collection: { ...look, found: [] } });
  assert.equal(fold.state.gone.size, found.length);
  for (const mark of [...fold.state.openMarks]) fold.do({ kind: "removed", mark });
}

test("TAG-1: tags and notes of models, datasets and versions are kept, and nothing that is decided depends on them", () => {
  const fold = registered(2);
  fold.must("dataset-add", dataset("a"));
  assert.deepEqual(fold.must("registry-tag", { ...model(), add: ["text", "prod"] }), {
    entry: "lang",
    tags: ["prod", "text"],
  });
  assert.deepEqual(fold.must("registry-tag", { ...model("champion"), add: ["audited"] }), {
    entry: "lang@2",
    tags: ["audited"],
  });
  fold.must("registry-note", { ...model(1), note: "short phrases only" });
  fold.must("registry-note", { ...reviews(), note: "of the shop" });
  fold.must("registry-tag", { ...reviews(1), add: ["pii"], remove: [] });
  const view = modelViewOf(fold.state, { model: "lang", removed: false });
  assert.ok(view.ok);
  assert.deepEqual(
    [view.value.tags, view.value.versions.map(({ notes, tags }) => [notes, tags])],
    [
      ["prod", "text"],
      [
        ["short phrases only", undefined],
        [undefined, ["audited"]],
      ],
    ],
  );
  const data = datasetViewOf(fold.state, { dataset: "reviews", removed: false });
  assert.deepEqual(data.ok ? [data.value.notes, data.value.versions[0]?.tags] : [], ["of the shop", ["pii"]]);
  fold.must("registry-tag", { ...model(), remove: ["prod", "text"] });
  fold.must("registry-note", { ...model(1), note: "" });
  assert.deepEqual([modelOf(fold).tags, modelOf(fold).versions[0]?.notes], [undefined, undefined]);
  assert.match(
    said(fold.command("registry-tag", { ...model(), add: ["x"], remove: ["x"] })),
    /both given and taken away/,
  );
  assert.match(
    said(fold.command("registry-tag", { ...model(), add: Array.from({ length: 20 }, (_, n) => `t${n}`) })),
    /^$/,
  );
  assert.match(said(fold.command("registry-tag", { ...model(), add: ["more"] })), /lang would have 21 tags/);
  assertSameEverywhere(fold);
});

const step = fc.record({
  what: fc.constantFrom(
    "remove",
    "restore",
    "promote",
    "rollback",
    "register",
    "add",
    "tag",
    "remove-data",
    "restore-data",
  ),
  version: fc.option(fc.integer({ min: 1, max: 4 })),
  wait: fc.constantFrom(0, 5),
});

test("REMOVE-3, REG-1, REG-2, DSET-1: whatever is removed and restored, invariants hold, a replay is the same, and what resolves is in sight", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 14 }), (steps) => {
      const fold = registered(2);
      let seed = 2;
      let before = modelOf(fold).aliases["champion"];
      for (const { version, wait, what } of steps) {
        fold.at += wait;
        if (what === "remove") fold.command("registry-remove", { ...model(version), force: true });
        if (what === "restore") fold.command("registry-restore", model(version));
        if (what === "promote")
          fold.command("model-promote", { model: "lang", version: version ?? "best", alias: "champion" });
        if (what === "rollback")
          fold.command("model-rollback", { model: "lang", alias: "champion", to: version });
        if (what === "register") register(fold, ++seed % 4);
        if (what === "add") fold.command("dataset-add", dataset("abcd"[version ?? 0] ?? "a"));
        if (what === "tag") fold.command("registry-tag", { ...model(version), add: ["t"] });
        if (what === "remove-data") fold.command("registry-remove", { ...reviews(version), force: true });
        if (what === "restore-data") fold.command("registry-restore", reviews(version));
        const { aliases, versions } = modelOf(fold);
        const now = aliases["champion"];
        if (now !== before) {
          const to = versions.find((each) => each.version === now);
          assert.equal(to?.removed, undefined, `champion went to ${now} by ${what}`);
        }
        before = now;
        assert.deepEqual(
          versions.map((each) => each.version),
          versions.map((_, at) => at + 1),
          "numbers go on",
        );
        for (const name of ["best", "newest", "champion", 1, 2, 3]) {
          const found = resolveVersion(fold.state, "lang", name);
          if (found.ok) assert.ok(versionsShown(fold).includes(found.value.version), `${name}`);
        }
      }
      assertSameEverywhere(fold);
    }),
    { numRuns: 60 },
  );
});
