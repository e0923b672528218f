/**
 * Linear quantile regression (Koenker and Bassett 1978): predicts the number that a share `quantile` of all
 * cases stays below, by stochastic gradient descent on the pinball loss. The whole task is this file; its
 * imports hold here and in training/tabular.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { TableRows } from "../../data/row/dataset-rows.ts";
import { checkpointOf } from "../../training/task/checkpoint-of.ts";
import { encodeCheckpoint, fillTensors } from "../../training/task/checkpoint.ts";
import type { TensorData } from "../../training/tensor/tensor-data.ts";
import { numberParam } from "../../training/task/parameter.ts";
import { permutation } from "../../training/tensor/seeded-stream.ts";
import { fitScale, scaled, scaledTarget } from "../../training/tabular/scale.ts";
import {
  tableExtra,
  tablePredictor,
  tableShapeFrom,
  tableTensors,
  type TableShape,
} from "../../training/tabular/table-model.ts";
import { trainableTable } from "../../training/tabular/table-task.ts";
import type {
  Metrics,
  ModelDeclaration,
  Predictor,
  TablePredictor,
  Trainer,
  TrainerOptions,
} from "../../training/task/task.ts";

function predictorOf(shape: TableShape, weights: Float32Array): TablePredictor {
  const width = shape.features.length;
  const score = (rows: Float32Array) =>
    Float32Array.from({ length: rows.length / width }, (_, row) => said(weights, rows, row * width));
  return tablePredictor(shape, score, () => undefined);
}

/** Of the row at `rows[at ..]`; the last weight is the bias. */
function said(weights: Float32Array, rows: Float32Array, at: number): number {
  const width = weights.length - 1;
  let sum = weights[width] ?? 0;
  for (let feature = 0; feature < width; feature++)
    sum += (weights[feature] ?? 0) * (rows[at + feature] ?? 0);
  return sum;
}

/** What a prediction that missed by so much costs: too low costs `quantile` a unit, too high the rest of 1. */
function pinball(missing: number, quantile: number): number {
  return Math.max(quantile * missing, (quantile - 1) * missing);
}

function measure(predictor: TablePredictor, { features, target }: TableRows, quantile: number): Metrics {
  let loss = 0;
  let covered = 0;
  for (const [row, value] of predictor.predict(features).entries()) {
    const missing = (target[row] ?? 0) - value;
    loss += pinball(missing, quantile);
    if (missing <= 0) covered++;
  }
  return { pinballLoss: loss / target.length, coverage: covered / target.length };
}

function create({ params, seed, dataset: given, backend }: TrainerOptions): Outcome<Trainer> {
  const checked = trainableTable(given);
  if (!checked.ok) return checked;
  const dataset = checked.value;
  const { features, labels, name, target, train } = dataset;
  if (labels !== null)
    return refuse(
      "invalid",
      `the target ${target} of ${name} is a label, and task quantile predicts numbers`,
    );
  const shape: TableShape = { features, labels, scale: fitScale(dataset) };
  const rows = scaled(shape.scale, train.features);
  const truths = scaledTarget(shape.scale, train.target);
  const quantile = numberParam(params, "quantile");
  const lr = numberParam(params, "lr");
  const weights = new Float32Array(features.length + 1);
  const predictor = predictorOf(shape, weights);
  let epoch = 0;

  /** One step down the gradient of the pinball loss; the loss before it, scaled. */
  const learn = (row: number, rate: number): number => {
    const at = row * features.length;
    const missing = (truths[row] ?? 0) - said(weights, rows, at);
    const push = rate * (missing > 0 ? quantile : quantile - 1);
    for (let feature = 0; feature < features.length; feature++)
      weights[feature] = (weights[feature] ?? 0) + push * (rows[at + feature] ?? 0);
    weights[features.length] = (weights[features.length] ?? 0) + push;
    return pinball(missing, quantile);
  };

  return accept({
    predictor,
    get epoch() {
      return epoch;
    },
    trainEpoch: () => {
      // Everything random comes from the seed and the epoch, so that a resumed trial goes on bit for bit.
      let sum = 0;
      for (const row of permutation(train.count, seed, epoch)) sum += learn(row, lr / (1 + epoch));
      epoch++;
      return Promise.resolve({ loss: (shape.scale.targetDeviation * sum) / train.count });
    },
    evaluate: (split) => measure(predictor, dataset[split], quantile),
    save: () =>
      encodeCheckpoint(
        {
          format: "trialmesh-checkpoint",
          version: 1,
          task: quantileLinear.task,
          model: quantileLinear.model,
          params,
          labels: [],
          seed,
          epoch,
          step: epoch * train.count,
          backend: backend.name,
          extra: tableExtra(shape),
        },
        new Map([...weightTensors(weights), ...tableTensors(shape)]),
      ),
    restore: (bytes) => {
      const saved = checkpointOf(quantileLinear, bytes);
      if (!saved.ok) return saved;
      const filled = fillTensors(weightTensors(weights), saved.value.tensors);
      if (!filled.ok) return filled;
      epoch = saved.value.meta.epoch;
      return accept({ exact: saved.value.meta.backend === backend.name });
    },
    dispose: () => undefined,
  });
}

/** A predictor from a checkpoint alone: the registry keeps nothing else. */
function load(bytes: Uint8Array): Outcome<Predictor> {
  const saved = checkpointOf(quantileLinear, bytes);
  if (!saved.ok) return saved;
  const shape = tableShapeFrom(saved.value);
  if (!shape.ok) return shape;
  const weights = new Float32Array(shape.value.features.length + 1);
  const filled = fillTensors(weightTensors(weights), saved.value.tensors);
  return filled.ok ? accept(predictorOf(shape.value, weights)) : filled;
}

function weightTensors(weights: Float32Array): ReadonlyMap<string, TensorData> {
  return new Map([["weights", { shape: [weights.length], data: weights }]]);
}

export const quantileLinear: ModelDeclaration = {
  task: "quantile",
  model: "linear",
  about: "linear quantile regression",
  parameters: {
    quantile: { type: "float", min: 0.001, max: 0.999, default: 0.5, about: "share of cases to stay below" },
    lr: { type: "float", min: 1e-4, max: 10, default: 0.1, about: "learning rate of the first epoch" },
  },
  backends: ["sparse"],
  data: "table",
  reference: null,
  defaultSpace: { lr: { distribution: "log-uniform", min: 0.01, max: 1 } },
  metrics: ["pinballLoss", "coverage"],
  create,
  load,
};
