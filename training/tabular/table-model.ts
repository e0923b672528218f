/**
 * What a trained tabular model is made of, whether it is a network or typed arrays: scores of scaled rows, a
 * predictor that takes rows as they stand in the dataset, and what its checkpoint says about them.
 */
import { storedText, storedList } from "../../protocol/bound.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Checkpoint } from "../task/checkpoint.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import type { TablePredictor } from "../task/task.ts";
import { scaleFrom, scaled, scaleTensors, unscaledTarget, type TableScale } from "./scale.ts";

export interface TableShape {
  readonly features: readonly string[];
  /** Null for a regression. */
  readonly labels: readonly string[] | null;
  readonly scale: TableScale;
}

/** Numbers a row is given: one per label, or the one to predict. */
export function outputsOf({ labels }: Pick<TableShape, "labels">): number {
  return labels === null ? 1 : labels.length;
}

/** `score` gives [rows, outputs] of scaled rows: probabilities, or scaled numbers. */
export function tablePredictor(
  { features, labels, scale }: TableShape,
  score: (scaledRows: Float32Array) => Float32Array,
  dispose: () => void,
): TablePredictor {
  return {
    kind: "table",
    features,
    labels,
    predict: (rows) => {
      const scores = score(scaled(scale, rows));
      return labels === null ? unscaledTarget(scale, scores) : scores;
    },
    dispose,
  };
}

/** For `extra` of a checkpoint's metadata. */
export function tableExtra({ features, labels }: TableShape): Record<string, string> {
  return { features: JSON.stringify(features), target: labels === null ? "number" : "label" };
}

export function tableTensors({ scale }: TableShape): ReadonlyMap<string, TensorData> {
  return scaleTensors(scale);
}

const namesSchema = storedList(storedText);

export function tableShapeFrom({ meta, tensors }: Checkpoint): Outcome<TableShape> {
  let names: unknown = null;
  try {
    names = JSON.parse(String(meta.extra["features"]));
  } catch {
    // Told below.
  }
  const features = namesSchema.safeParse(names);
  if (!features.success)
    return refuse("invalid", "the checkpoint does not name its features; it is not one of a table");
  const scale = scaleFrom(tensors, features.data.length);
  if (!scale.ok) return scale;
  const labels = meta.extra["target"] === "number" ? null : meta.labels;
  return accept({ features: features.data, labels, scale: scale.value });
}
