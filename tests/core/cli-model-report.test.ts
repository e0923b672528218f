/** A classifier's report: what a trainer measured comes back from its checkpoint, and is printed so that it can be read. */
import assert from "node:assert/strict";
import test from "node:test";
import { workloadDataset } from "../../agent/capability/workload.ts";
import { sparseBackend } from "../../training/runtime/backend.ts";
import { decodeCheckpoint } from "../../training/task/checkpoint.ts";
import { labelReports, overallOf } from "../../training/task/classification-report.ts";
import { linear } from "../../training/text/linear.ts";
import { MetricTally } from "../../training/task/metric.ts";
import { resolveParams } from "../../training/task/parameter.ts";
import { reportText } from "../../cli/print/report-text.ts";

function trainerOf() {
  const params = resolveParams(linear, {});
  assert.ok(params.ok);
  const workload = workloadDataset();
  const dataset = { ...workload, test: workload.train.slice(0, 100) };
  const made = linear.create({ params: params.value, seed: 1, dataset, backend: sparseBackend });
  assert.ok(made.ok);
  return made.value;
}

function metaOf(bytes: Uint8Array) {
  const decoded = decodeCheckpoint(bytes);
  assert.ok(decoded.ok);
  return decoded.value.meta;
}

test("CARD-1: a checkpoint keeps the report of what was measured of its weights, and of no others", async () => {
  const trainer = trainerOf();
  await trainer.trainEpoch();
  assert.equal(metaOf(trainer.save()).report, undefined);
  const validation = trainer.evaluate("validation");
  const tested = trainer.evaluate("test");
  const { report, labels } = metaOf(trainer.save());
  assert.equal(report?.validation?.rows, 8);
  assert.ok(report?.test !== undefined);
  assert.equal(report.test.rows, 100);
  const { accuracy, calibrationError } = overallOf(report.test);
  assert.equal(accuracy, tested["accuracy"]);
  assert.ok(Math.abs(calibrationError - (tested["calibrationError"] ?? NaN)) < 1e-12);
  assert.ok(validation["accuracy"] !== undefined);
  assert.deepEqual(
    labelReports(report.test, labels).map(({ support }) => support),
    [13, 13, 13, 13, 12, 12, 12, 12],
  );
  await trainer.trainEpoch();
  assert.equal(metaOf(trainer.save()).report, undefined);
});

function tallied(labels: number, rows: readonly (readonly [label: number, predicted: number])[]) {
  const tally = new MetricTally(labels);
  for (const [label, predicted] of rows) {
    const p = Array.from({ length: labels }, (_, at) => (at === predicted ? 0.8 : 0.2 / (labels - 1)));
    tally.add(p, 0, label);
  }
  return tally.report();
}

test("CARD-2: as text: per label, the matrix with its weights, and how often it was right where it was sure", () => {
  const counts = tallied(3, [
    [0, 0],
    [0, 0],
    [0, 1],
    [1, 1],
    [2, 0],
  ]);
  const text = reportText({
    model: "sentiment@3",
    trainedBy: "nbsvm of text-classification",
    epoch: 9,
    labels: ["negative", "neutral", "positive"],
    report: { test: counts },
  });
  const lines = text.split("\n");
  assert.equal(lines[0], "sentiment@3: nbsvm of text-classification, epoch 9");
  assert.match(text, /^test: 5 rows, accuracy 0\.6, log loss \d\.\d+, calibration error 0\.2$/mu);
  assert.match(text, /^negative +0\.667 +0\.667 +0\.667 +3 +\[#+\.*\]$/mu);
  assert.match(text, /^positive +0\.000 +0\.000 +0\.000 +1 /mu);
  assert.match(text, /^\(mean\) +0\.389 +0\.556 +0\.444 +5 /mu);
  assert.match(text, /^1 negative +2 \* +1 - +\.$/mu);
  assert.match(text, /^3 positive +1 @ +\. +\.$/mu);
  assert.match(text, /^0\.73 to 0\.80 +5 +0\.800 +0\.600 /mu);
});

test("CARD-3: with many labels the worst confusions are listed instead, the most frequent first", () => {
  const labels = Array.from({ length: 20 }, (_, at) => `label-${at}`);
  const report = tallied(20, [
    [3, 4],
    [3, 4],
    [3, 3],
    [7, 8],
    [9, 9],
  ]);
  const text = reportText({ model: "m@1", trainedBy: "x", epoch: 1, labels, report: { validation: report } });
  assert.doesNotMatch(text, /IS, TAKEN FOR/u);
  assert.match(text, /^label-3 +label-4 +2 +67%\nlabel-7 +label-8 +1 +100%$/mu);
});
