/** Dataset versions: one for the same bytes, kept through a reload, and a gate that stands before any token is spent. */
import assert from "node:assert/strict";
import test from "node:test";
import type * as z from "zod";
import { entityAt, loadState } from "../../coordinator/core/projection.ts";
import { datasetViewOf, datasetsViewOf } from "../../coordinator/view/dataset-answer.ts";
import type { datasetVersionSchema } from "../../protocol/dataset.ts";
import { stateText } from "../support/state-text.ts";
import { digestA, Fold, sweepSpec } from "../support/fold.ts";

type DatasetVersion = z.infer<typeof datasetVersionSchema>;
const rows = { train: 80, validation: 10, test: 10 };
const version = (change: Partial<DatasetVersion> = {}): DatasetVersion => ({
  dataset: "reviews",
  kind: "text",
  digest: digestA,
  bytes: 1_000,
  rows,
  labels: ["bad", "good"],
  badRows: 0,
  recipe: "b".repeat(64),
  trial: null,
  check: { failed: 0, warned: 0, sentences: [] },
  ...change,
});
const spec = (digest: string) =>
  sweepSpec({ dataset: { name: "reviews", digest, bytes: 1_000, rows }, gate: true });

test("DSET-1: the same bytes under a name are one version; other bytes are the next", () => {
  const fold = new Fold();
  assert.deepEqual(fold.must("dataset-add", version()), { dataset: "reviews", version: 1, added: true });
  assert.deepEqual(fold.must("dataset-add", version(), "bob"), {
    dataset: "reviews",
    version: 1,
    added: false,
  });
  const other = version({ digest: "c".repeat(64) });
  assert.deepEqual(fold.must("dataset-add", other, "bob"), { dataset: "reviews", version: 2, added: true });
  const [listed] = datasetsViewOf(fold.state, false).datasets;
  assert.deepEqual([listed?.versions, listed?.latest.version, listed?.latest.by], [2, 2, "bob"]);
});

test("DSET-1: what is on record is there after a reload from the store", () => {
  const fold = new Fold();
  fold.must("dataset-add", version());
  const stored = [...fold.state.dirty].map((key): [string, unknown] => [
    key,
    structuredClone(entityAt(fold.state, key)),
  ]);
  const loaded = loadState((prefix) =>
    stored.filter(([key]) => key.startsWith(prefix)).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  assert.equal(stateText(loaded), stateText(fold.state));
  assert.equal(loaded.datasets.get("reviews")?.versions.length, 1);
});

test("DSET-2: a sweep behind a gate is refused with the rows, before anything is reserved", () => {
  const fold = new Fold();
  fold.open("ada", 100);
  fold.join("box", 1);
  const unknown = fold.command("sweep-run", { spec: spec(digestA) });
  assert.match(unknown.ok ? "" : unknown.refusal.message, /not on record; add it with/u);
  const sentences = ["no-conflicts: train.txt:7 and train.txt:90 have one text and two labels"];
  fold.must("dataset-add", version({ check: { failed: 1, warned: 0, sentences } }));
  const refused = fold.command("sweep-run", { spec: spec(digestA) });
  assert.match(refused.ok ? "" : refused.refusal.message, /reviews@1 fails 1 .*\n.*train\.txt:7/u);
  assert.equal(fold.state.sweeps.size, 0);
  assert.equal(fold.state.accounts.get("ada")?.pending, 0);
  fold.must("dataset-add", version({ digest: "c".repeat(64) }));
  fold.must("sweep-run", { spec: spec("c".repeat(64)) });
  const view = datasetViewOf(fold.state, { dataset: "reviews", removed: false });
  assert.deepEqual(view.ok ? view.value.uses : null, [{ version: 2, sweep: "s1", models: [] }]);
});

test("DSET-3: checked anew against other expectations, the last word counts, and the version stays", () => {
  const fold = new Fold();
  fold.must("dataset-add", version({ check: { failed: 1, warned: 0, sentences: ["rows in train: 80"] } }));
  const again = fold.must("dataset-add", version(), "bob");
  assert.deepEqual(again, { dataset: "reviews", version: 1, added: false });
  assert.equal(fold.state.datasets.get("reviews")?.versions[0]?.check.failed, 0);
  const events = fold.events.length;
  fold.must("dataset-add", version(), "bob");
  const kinds = fold.events.slice(events).map(({ event }) => event.kind);
  assert.deepEqual(kinds, ["CommandAccepted"]);
});

test("a version cannot say it was built by a trial that there is not; a name is suggested", () => {
  const fold = new Fold();
  const refused = fold.command("dataset-add", version({ trial: "s4-1" }));
  assert.match(refused.ok ? "" : refused.refusal.message, /no trial s4-1/u);
  fold.must("dataset-add", version());
  const view = datasetViewOf(fold.state, { dataset: "revews", removed: false });
  assert.match(view.ok ? "" : view.refusal.message, /did you mean "reviews"/u);
});
