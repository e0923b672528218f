/** A regression's report: figures against what NumPy and scikit-learn define, and what is said of the rows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { regressionText } from "../../cli/print/regression-text.ts";
import type { RegressionReport } from "../../client/model/report-regressor.ts";
import { modelPage } from "../../client/report/model/model-page.ts";
import { errorOf, errorShares, splitErrors } from "../../training/task/regression-report.ts";

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const pairs = fc.array(fc.tuple(finite, finite), { minLength: 1, maxLength: 60 });

function reportOf(rows: readonly (readonly [number, number])[]) {
  const report = splitErrors(
    rows.map(([truth]) => truth),
    rows.map(([, predicted]) => predicted),
  );
  assert.ok(report !== null);
  return report;
}

test("CARD-4: whatever the numbers, every row is counted once, quantiles rise, and the worst rows are the worst", () => {
  fc.assert(
    fc.property(pairs, (rows) => {
      const report = reportOf(rows);
      const sizes = rows.map(([truth, predicted]) => Math.abs(predicted - truth)).toSorted((a, b) => b - a);
      const counted = (parts: readonly { readonly rows: number }[]) =>
        parts.reduce((sum, part) => sum + part.rows, 0);
      assert.equal(counted(report.histogram), rows.length);
      assert.equal(counted(report.groups), rows.length);
      assert.deepEqual(
        report.worst.map((row) => Math.abs(errorOf(row))),
        sizes.slice(0, 20),
      );
      for (const { predicted, row, truth } of report.worst) assert.deepEqual([truth, predicted], rows[row]);
      const rising = (values: readonly number[]) =>
        values.every((value, at) => at === 0 || value >= (values[at - 1] ?? value));
      assert.ok(rising(report.quantiles.map(({ error }) => error)));
      assert.ok(rising(report.quantiles.map(({ size }) => size)));
      assert.ok(rising(report.groups.map(({ predicted }) => predicted)));
      assert.equal(report.quantiles.at(-1)?.size, sizes[0]);
      assert.equal(report.points.length, rows.length);
    }),
  );
});

test("CARD-4: figures are those of NumPy and scikit-learn on the same rows", () => {
  // numpy.quantile(errors, shares), sklearn.metrics.mean_absolute_error and r2_score.
  const truth = [3, -0.5, 2, 7];
  const predicted = [2.5, 0, 2, 8];
  const report = splitErrors(truth, predicted);
  assert.ok(report !== null);
  assert.equal(report.metrics.mae, 0.5);
  assert.ok(Math.abs(report.metrics.r2 - 0.9486081370449679) < 1e-12);
  assert.ok(Math.abs(report.metrics.rmse - Math.sqrt(0.375)) < 1e-12);
  assert.equal(report.bias, 0.25);
  const at = (share: number) => report.quantiles.find((each) => each.share === share)?.error;
  assert.deepEqual([at(0), at(0.25), at(0.5), at(0.75), at(1)], [-0.5, -0.125, 0.25, 0.625, 1]);
  assert.deepEqual(
    report.quantiles.map(({ share }) => share),
    [...errorShares],
  );
  assert.equal(splitErrors([], []), null);
});

test("CARD-4: of many rows some are drawn, evenly over what is true, the least and the greatest among them", () => {
  const rows = Array.from({ length: 5_000 }, (_, at): [number, number] => [(at * 7919) % 5_000, 0]);
  const { points } = reportOf(rows);
  assert.equal(points.length, 1_000);
  assert.deepEqual([points[0]?.truth, points.at(-1)?.truth], [0, 4_999]);
  const gaps = points.slice(1).map(({ truth }, at) => truth - (points[at]?.truth ?? 0));
  assert.ok(Math.max(...gaps) <= 6 && Math.min(...gaps) >= 5);
});

const parts = { library: "", script: "", style: "" };
function wholeOf(rows: readonly (readonly [number, number])[]): RegressionReport {
  const split = reportOf(rows);
  const worst = split.worst.map((row) => ({
    ...row,
    error: errorOf(row),
    came: { file: "a<b>.csv", line: row.row + 2, values: [["x\u001b[31m", "</script><b>"] as const] },
  }));
  return {
    kind: "regression",
    model: "prices@3",
    trainedBy: "linear of tabular",
    epoch: 4,
    target: "price <in> €",
    dataset: "houses abc",
    splits: { validation: { ...split, worst } },
  };
}

test("CARD-5: text and page hold for any numbers, name the worst rows, and let nothing of the data act", () => {
  fc.assert(
    fc.property(pairs, (rows) => {
      const report = wholeOf(rows);
      const text = regressionText(report);
      assert.match(text, /^prices@3: linear of tabular, epoch 4, predicts price <in> € of houses abc/);
      assert.ok(text.includes(`a<b>.csv:${(report.splits.validation?.worst[0]?.row ?? 0) + 2}`));
      assert.ok(!text.includes("\u001b"));
      const page = modelPage(report, parts);
      assert.ok(page.includes('id="truth-validation"') && page.includes('id="error-validation"'));
      assert.ok(!page.includes("</script><b>") && page.includes("a&lt;b&gt;.csv"));
      assert.ok(!/\bNaN\b|Infinity/.test(page));
    }),
    {
      numRuns: 30,
      examples: [
        [
          [
            [0, 0],
            [3.14e-162, 4.2e-8],
          ],
        ],
      ],
    },
  );
});
