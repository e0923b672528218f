/** Metrics agree with scikit-learn's definitions, on figures worked out by hand. */
import assert from "node:assert/strict";
import test from "node:test";
import { MetricTally } from "../../agent/task/metric.ts";

function metricsOf(rows: readonly { readonly p: readonly number[]; readonly label: number }[]) {
  const tally = new MetricTally(3);
  for (const { p, label } of rows) tally.add(p, 0, label);
  return tally.result();
}
const near = (actual: number, wanted: number) =>
  assert.ok(Math.abs(actual - wanted) < 1e-12, `${actual} is not ${wanted}`);

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
