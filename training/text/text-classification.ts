/** What all text-classification models share: what data they refuse, and how predictions are put in order. */
import { refuse, type Outcome, accept } from "../../protocol/refusal.ts";
import type { Dataset, TextDataset } from "../../data/row/dataset-rows.ts";
import type { Prediction } from "../task/task.ts";

export const textClassification = "text-classification";
export const classificationMetrics = ["accuracy", "macroF1", "logLoss", "calibrationError"] as const;

/** The dataset, if a classifier can learn from it; the refusal names split and row, counted from 1. */
export function trainableText(dataset: Dataset | null): Outcome<TextDataset> {
  if (dataset === null)
    return refuse("invalid", "text classification needs a dataset; name one in the sweep");
  if (dataset.kind !== "text") {
    return refuse(
      "invalid",
      `${dataset.name} is a table, and text classification needs texts with labels; task tabular learns from tables`,
    );
  }
  if (new Set(dataset.train.map((example) => example.label)).size < 2) {
    return refuse(
      "invalid",
      `the training split of ${dataset.name} has examples of one label only; two or more are needed`,
    );
  }
  for (const split of ["train", "validation"] as const) {
    if (dataset[split].length === 0)
      return refuse("invalid", `the ${split} split of ${dataset.name} is empty`);
    if (dataset[split].every((example) => example.text.trim() === "")) {
      return refuse(
        "invalid",
        `every text of the ${split} split of ${dataset.name} is empty; its text is to be taken from another column`,
      );
    }
    const blank = dataset[split].findIndex((example) => example.text.trim() === "");
    if (blank !== -1) {
      return refuse(
        "invalid",
        `row ${blank + 1} of the ${split} split of ${dataset.name} has an empty text; drop such rows first`,
      );
    }
  }
  return accept(dataset);
}

export function rankedPredictions(
  labels: readonly string[],
  probabilities: ArrayLike<number>,
  at: number,
): Prediction[] {
  return labels
    .map((label, index) => ({ label, probability: probabilities[at + index] ?? 0 }))
    .sort((a, b) => b.probability - a.probability);
}
