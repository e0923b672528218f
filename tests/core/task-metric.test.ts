/** Metrics agree with scikit-learn's definitions: figures worked out by hand, and recorded from scikit-learn 1.9. */
import assert from "node:assert/strict";
import test from "node:test";
import { labelReports, macroMean, overallOf } from "../../training/task/classification-report.ts";
import { MetricTally, regressionMetrics } from "../../training/task/metric.ts";

interface Row {
  readonly p: readonly number[];
  readonly label: number;
}

function tallyOf(rows: readonly Row[]): MetricTally {
  const tally = new MetricTally(3);
  for (const { p, label } of rows) tally.add(p, 0, label);
  return tally;
}
const metricsOf = (rows: readonly Row[]) => tallyOf(rows).result();
const near = (actual: number, wanted: number) =>
  assert.ok(Math.abs(actual - wanted) < 1e-12, `${actual} is not ${wanted}`);

/** Made up by numpy; some labels are never predicted. */
const recordedTruth = [0, 0, 1, 2, 0, 2, 1, 0, 1, 2, 2, 1];
const recorded: readonly Row[] = [
  [0.06, 0.21, 0.73],
  [0.79, 0.12, 0.09],
  [0.28, 0.07, 0.65],
  [0.02, 0.12, 0.86],
  [0.13, 0.62, 0.25],
  [0.46, 0.21, 0.33],
  [0.62, 0.38, 0],
  [0.36, 0.27, 0.37],
  [0.36, 0.32, 0.32],
  [0.21, 0.01, 0.78],
  [0.48, 0.02, 0.5],
  [0.76, 0.05, 0.19],
].map((p, at) => ({ p, label: recordedTruth[at] ?? 0 }));

test("METRIC-1: accuracy, macro F1 and log loss of a small confusion", () => {
  const { accuracy, macroF1, logLoss } = metricsOf([
    { p: [0.7, 0.2, 0.1], label: 0 },
    { p: [0.6, 0.3, 0.1], label: 1 },
    { p: [0.2, 0.5, 0.3], label: 1 },
    { p: [0.1, 0.2, 0.7], label: 2 },
  ]);
  near(accuracy, 3 / 4);
  near(macroF1, (2 / 3 + 2 / 3 + 1) / 3);
  near(logLoss, -(Math.log(0.7) + Math.log(0.3) + Math.log(0.5) + Math.log(0.7)) / 4);
});

test("METRIC-1: accuracy, macro F1, log loss and calibration error as recorded", () => {
  const { accuracy, macroF1, logLoss, calibrationError } = metricsOf(recorded);
  near(accuracy, 1 / 3);
  near(macroF1, 0.2740740740740741);
  near(logLoss, 1.3395091500325933);
  near(calibrationError, 0.3983333333333334);
});

test("METRIC-2: a label neither present nor predicted does not count", () => {
  near(
    metricsOf([
      { p: [0.9, 0.1, 0], label: 0 },
      { p: [0.1, 0.9, 0], label: 1 },
    ]).macroF1,
    1,
  );
});

test("METRIC-3: a sure mistake costs much, but not infinity", () => {
  const { logLoss } = metricsOf([{ p: [1, 0, 0], label: 2 }]);
  assert.ok(Number.isFinite(logLoss) && logLoss > 30);
});

test("METRIC-4: a report's precision, recall, F1 and support per label as recorded, and its means", () => {
  const report = tallyOf(recorded).report();
  assert.deepEqual(report.confusion, [
    [0, 0, 1],
    [0, 1, 1],
    [0, 2, 2],
    [1, 0, 3],
    [1, 2, 1],
    [2, 0, 1],
    [2, 2, 3],
  ]);
  const labels = labelReports(report, ["a", "b", "c"]);
  const wanted = [
    { precision: 0.2, recall: 0.25, f1: 2 / 9, support: 4 },
    { precision: 0, recall: 0, f1: 0, support: 4 },
    { precision: 0.5, recall: 0.75, f1: 0.6, support: 4 },
  ];
  labels.forEach(({ precision, recall, f1, support }, at) => {
    near(precision, wanted[at]?.precision ?? NaN);
    near(recall, wanted[at]?.recall ?? NaN);
    near(f1, wanted[at]?.f1 ?? NaN);
    near(support, wanted[at]?.support ?? NaN);
  });
  const mean = macroMean(labels);
  near(mean.precision, 0.23333333333333334);
  near(mean.recall, 1 / 3);
  near(mean.f1, 0.2740740740740741);
});

test("METRIC-5: a report gives accuracy and calibration error again, its bins every row", () => {
  const tally = tallyOf(recorded);
  const report = tally.report();
  const { accuracy, calibrationError } = overallOf(report);
  near(accuracy, tally.result().accuracy);
  near(calibrationError, tally.result().calibrationError);
  assert.equal(report.bins.length, 15);
  assert.equal(
    report.bins.reduce((sum, bin) => sum + bin.rows, 0),
    recorded.length,
  );
  // A confidence on an edge belongs to the bin below it.
  const edge = tallyOf([{ p: [0.6, 0.4, 0], label: 0 }]).report();
  assert.equal(edge.bins[8]?.rows, 1);
});

test("METRIC-6: regression metrics as recorded; a target that never changes; no rows", () => {
  const truth = [0.7, -0.44, -1.08, 0.03, -0.05, 1.41, 0.75, 0.19];
  const predicted = [1.26, -0.54, -1.54, 0.32, 0.24, 1.3, 0.36, 0.3];
  const { rmse, mae, r2 } = regressionMetrics(truth, predicted);
  near(rmse, 0.33160594083942463);
  near(mae, 0.28875);
  near(r2, 0.7882836402362164);
  assert.equal(regressionMetrics([2, 2, 2], [2, 2, 2]).r2, 1);
  assert.equal(regressionMetrics([2, 2, 2], [2, 3, 2]).r2, 0);
  assert.deepEqual(regressionMetrics([], []), { rmse: 0, mae: 0, r2: 0 });
});
