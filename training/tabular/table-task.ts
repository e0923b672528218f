/** What all tabular models share: what data they refuse, their metrics, how a split is evaluated. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Dataset, TableDataset, TableRows } from "../../data/row/dataset-rows.ts";
import type { Evaluations } from "../task/classification-report.ts";
import { MetricTally, regressionMetrics } from "../task/metric.ts";
import type { Metrics, TablePredictor } from "../task/task.ts";
import { classificationMetrics } from "../text/text-classification.ts";

export const tabular = "tabular";
export const tableRegressionMetrics = ["rmse", "mae", "r2"] as const;
export const tableMetrics = [...classificationMetrics, ...tableRegressionMetrics] as const;

/** The metrics a table's target gives, the usual objective first. */
export function metricsOfTable({ labels }: Pick<TableDataset, "labels">): readonly string[] {
  return labels === null ? tableRegressionMetrics : classificationMetrics;
}

/** The dataset, if a tabular model can learn from it; the refusal names split, row (from 1) and column. */
export function trainableTable(dataset: Dataset | null): Outcome<TableDataset> {
  if (dataset === null) return refuse("invalid", "task tabular needs a dataset; name one in the sweep");
  const { name } = dataset;
  if (dataset.kind !== "table") {
    return refuse(
      "invalid",
      `${name} holds texts, and task tabular learns from tables; task text-classification learns from texts`,
    );
  }
  if (dataset.features.length === 0)
    return refuse("invalid", `${name} has no columns to learn from beside its target ${dataset.target}`);
  for (const split of ["train", "validation", "test"] as const) {
    const rows = dataset[split];
    if (rows.count === 0 && split !== "test")
      return refuse("invalid", `the ${split} split of ${name} is empty`);
    const fault = numberFault(rows, dataset);
    if (fault !== null) {
      return refuse(
        "invalid",
        `row ${fault.row + 1} of the ${split} split of ${name} has no number in column ${fault.column}; its plan must fill or drop what is missing`,
      );
    }
  }
  const { target, train } = dataset;
  if (train.target.every((value) => value === train.target[0])) {
    return refuse(
      "invalid",
      dataset.labels === null
        ? `the target ${target} of ${name} is ${train.target[0]} in every training row; there is nothing to learn`
        : `the training split of ${name} has rows of one label only; two or more are needed`,
    );
  }
  return accept(dataset);
}

/** The first cell that is not a finite number. */
function numberFault(
  { count, features, target }: TableRows,
  dataset: TableDataset,
): { readonly row: number; readonly column: string } | null {
  const width = dataset.features.length;
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < width; column++) {
      if (!Number.isFinite(features[row * width + column]))
        return { row, column: dataset.features[column] ?? "" };
    }
    if (!Number.isFinite(target[row])) return { row, column: dataset.target };
  }
  return null;
}

export function evaluateTable(
  predictor: TablePredictor,
  rows: TableRows,
  split: "validation" | "test",
  evaluations: Evaluations,
): Metrics {
  const predicted = predictor.predict(rows.features);
  const { labels } = predictor;
  if (labels === null) return { ...regressionMetrics(rows.target, predicted) };
  const tally = new MetricTally(labels.length);
  for (let row = 0; row < rows.count; row++) tally.add(predicted, row * labels.length, rows.target[row] ?? 0);
  return evaluations.add(split, tally);
}
