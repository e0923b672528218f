/**
 * Features, and the target of a regression, brought to mean 0 and deviation 1 by figures of the training
 * split, whatever the dataset's plan did: one learning rate then suits every table. The figures are part of
 * the checkpoint, so that a predictor takes numbers as they stand in the dataset.
 */
import { refuse, accept, type Outcome } from "../../protocol/refusal.ts";
import type { TableDataset } from "../../data/row/dataset-rows.ts";
import type { TensorData } from "../tensor/tensor-data.ts";

export interface TableScale {
  /** [features]; a factor is 0 for a column that is the same in every row. */
  readonly mean: Float32Array;
  readonly factor: Float32Array;
  /** Of the target: 0 and 1 for a classification. */
  readonly targetMean: number;
  readonly targetDeviation: number;
}

const meanTensor = "feature.mean";
const factorTensor = "feature.factor";
const targetTensor = "target.scale";

export function fitScale({ features, labels, train }: TableDataset): TableScale {
  const columns = features.map((_, column) => spreadOf(train.features, column, features.length));
  const target = labels === null ? spreadOf(train.target, 0, 1) : { mean: 0, deviation: 1 };
  return {
    mean: Float32Array.from(columns, ({ mean }) => mean),
    factor: Float32Array.from(columns, ({ deviation }) => (deviation > 0 ? 1 / deviation : 0)),
    targetMean: Math.fround(target.mean),
    targetDeviation: Math.fround(target.deviation),
  };
}

/** Of every `stride`th value from `from` on, in two passes: one pass would cancel for a large mean. */
function spreadOf(
  values: Float32Array,
  from: number,
  stride: number,
): { readonly mean: number; readonly deviation: number } {
  const rows = values.length / stride;
  let sum = 0;
  for (let at = from; at < values.length; at += stride) sum += values[at] ?? 0;
  const mean = sum / rows;
  let squares = 0;
  for (let at = from; at < values.length; at += stride) squares += ((values[at] ?? 0) - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / rows) };
}

/** [rows, features] scaled; the given ones stay as they are. */
export function scaled({ mean, factor }: TableScale, features: Float32Array): Float32Array {
  const width = mean.length;
  const out = new Float32Array(features.length);
  for (let at = 0; at < features.length; at += width) {
    for (let column = 0; column < width; column++) {
      const value = (features[at + column] ?? 0) - (mean[column] ?? 0);
      out[at + column] = value * (factor[column] ?? 0);
    }
  }
  return out;
}

export function scaledTarget(scale: TableScale, target: Float32Array): Float32Array {
  return target.map((value) => (value - scale.targetMean) / scale.targetDeviation);
}

/** Predicted numbers back in the target's own unit. */
export function unscaledTarget(scale: TableScale, predicted: Float32Array): Float32Array {
  return predicted.map((value) => value * scale.targetDeviation + scale.targetMean);
}

export function scaleTensors(scale: TableScale): ReadonlyMap<string, TensorData> {
  const { mean, factor, targetMean, targetDeviation } = scale;
  return new Map([
    [meanTensor, { shape: [mean.length], data: mean }],
    [factorTensor, { shape: [factor.length], data: factor }],
    [targetTensor, { shape: [2], data: Float32Array.of(targetMean, targetDeviation) }],
  ]);
}

export function scaleFrom(tensors: ReadonlyMap<string, TensorData>, features: number): Outcome<TableScale> {
  const mean = tensors.get(meanTensor)?.data;
  const factor = tensors.get(factorTensor)?.data;
  const [targetMean, targetDeviation] = tensors.get(targetTensor)?.data ?? [];
  if (
    !(mean instanceof Float32Array && mean.length === features) ||
    !(factor instanceof Float32Array && factor.length === features) ||
    targetMean === undefined ||
    targetDeviation === undefined
  ) {
    return refuse(
      "invalid",
      "the checkpoint has no scale for each of its features; it is not one of a table",
    );
  }
  return accept({ mean, factor, targetMean, targetDeviation });
}
