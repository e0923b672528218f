/**
 * The linear model of tables: logistic regression where the target is a label, ridge regression where it is a
 * number. It runs on our own typed arrays, so wherever JavaScript does.
 */
import type { TableDataset } from "../../data/row/dataset-rows.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { Params } from "../../protocol/value.ts";
import { checkpointOf } from "../task/checkpoint-of.ts";
import { encodeCheckpoint, fillTensors } from "../task/checkpoint.ts";
import { Evaluations } from "../task/classification-report.ts";
import { classWeightParameters, classWeights } from "../task/class-weight.ts";
import { numberParam } from "../task/parameter.ts";
import { permutation } from "../tensor/seeded-stream.ts";
import { rateShare, scheduleOf, scheduleParameters } from "../task/learning-rate.ts";
import type {
  Metrics,
  ModelDeclaration,
  Predictor,
  Restored,
  TablePredictor,
  Trainer,
  TrainerOptions,
} from "../task/task.ts";
import { linearEngine, type LinearEngine } from "./linear-engine.ts";
import { fitScale, scaled, scaledTarget } from "./scale.ts";
import {
  outputsOf,
  tableExtra,
  tablePredictor,
  tableShapeFrom,
  tableTensors,
  type TableShape,
} from "./table-model.ts";
import { evaluateTable, tableMetrics, tabular, trainableTable } from "./table-task.ts";

function engineOf(shape: TableShape, params: Params): LinearEngine {
  return linearEngine({
    features: shape.features.length,
    outputs: outputsOf(shape),
    regression: shape.labels === null,
    l2: numberParam(params, "l2"),
  });
}

function predictorOf(shape: TableShape, engine: LinearEngine): TablePredictor {
  const width = shape.features.length;
  const out = new Float64Array(outputsOf(shape));
  const score = (rows: Float32Array): Float32Array => {
    const scores = new Float32Array((rows.length / width) * out.length);
    for (let row = 0; row * width < rows.length; row++) {
      engine.score(rows, row * width, out);
      scores.set(out, row * out.length);
    }
    return scores;
  };
  return tablePredictor(shape, score, () => undefined);
}

function createLinear(options: TrainerOptions): Outcome<Trainer> {
  const checked = trainableTable(options.dataset);
  return checked.ok ? accept(new LinearTrainer(options, checked.value)) : checked;
}

class LinearTrainer implements Trainer {
  readonly predictor: TablePredictor;
  readonly #options: TrainerOptions;
  readonly #dataset: TableDataset;
  readonly #shape: TableShape;
  readonly #engine: LinearEngine;
  readonly #evaluations = new Evaluations();
  #epoch = 0;
  /** What the training rows are read as. */
  readonly #rows: Float32Array;
  readonly #truths: ArrayLike<number>;
  /** Of each label's rows in the loss; null where the target is a number. */
  readonly #weights: Float32Array | null;

  constructor(options: TrainerOptions, dataset: TableDataset) {
    const { params } = options;
    const { features, labels, train } = dataset;
    const shape: TableShape = { features, labels, scale: fitScale(dataset) };
    this.#options = options;
    this.#dataset = dataset;
    this.#shape = shape;
    this.#engine = engineOf(shape, params);
    this.predictor = predictorOf(shape, this.#engine);
    this.#rows = scaled(shape.scale, train.features);
    this.#truths = labels === null ? scaledTarget(shape.scale, train.target) : train.target;
    const balanced = params["classWeights"] === "balanced";
    this.#weights = labels === null ? null : classWeights(balanced, this.#truths, labels.length);
  }

  get epoch(): number {
    return this.#epoch;
  }

  trainEpoch(): Promise<{ readonly loss: number }> {
    this.#evaluations.clear();
    const loss = this.#runEpoch();
    this.#epoch++;
    return Promise.resolve({ loss });
  }

  evaluate(split: "validation" | "test"): Metrics {
    return evaluateTable(this.predictor, this.#dataset[split], split, this.#evaluations);
  }

  save(): Uint8Array {
    const { backend, params, seed } = this.#options;
    return encodeCheckpoint(
      {
        format: "trialmesh-checkpoint",
        version: 1,
        task: tabular,
        model: tabularLinear.model,
        params,
        labels: [...(this.#dataset.labels ?? [])],
        seed,
        epoch: this.#epoch,
        step: this.#epoch * this.#dataset.train.count,
        backend: backend.name,
        extra: tableExtra(this.#shape),
        ...this.#evaluations.meta,
      },
      new Map([...this.#engine.tensors, ...tableTensors(this.#shape)]),
    );
  }

  restore(bytes: Uint8Array): Outcome<Restored> {
    const saved = checkpointOf(tabularLinear, bytes);
    if (!saved.ok) return saved;
    const filled = fillTensors(this.#engine.tensors, saved.value.tensors);
    if (!filled.ok) return filled;
    this.#evaluations.clear();
    this.#epoch = saved.value.meta.epoch;
    return accept({ exact: saved.value.meta.backend === this.#options.backend.name });
  }

  dispose(): void {}

  /** Its mean loss, in the target's own unit squared where that is a number. */
  #runEpoch(): number {
    const { params, seed } = this.#options;
    const { features, train } = this.#dataset;
    const engine = this.#engine;
    const epoch = this.#epoch;
    const rows = this.#rows;
    const truths = this.#truths;
    const weights = this.#weights;
    const lr = numberParam(params, "lr");
    const schedule = scheduleOf(params);
    let sum = 0;
    let total = 0;
    for (const [index, row] of permutation(train.count, seed, epoch).entries()) {
      const truth = truths[row] ?? 0;
      const weight = weights?.[truth] ?? 1;
      const rate = lr * rateShare(schedule, epoch + index / train.count);
      sum += weight * engine.learn(rows, row * features.length, truth, weight, rate);
      total += weight;
    }
    return (this.#shape.scale.targetDeviation ** 2 * sum) / total;
  }
}

function loadLinear(bytes: Uint8Array): Outcome<Predictor> {
  const saved = checkpointOf(tabularLinear, bytes);
  if (!saved.ok) return saved;
  const shape = tableShapeFrom(saved.value);
  if (!shape.ok) return shape;
  const engine = engineOf(shape.value, saved.value.meta.params);
  const filled = fillTensors(engine.tensors, saved.value.tensors);
  return filled.ok ? accept(predictorOf(shape.value, engine)) : filled;
}

export const tabularLinear: ModelDeclaration = {
  task: tabular,
  model: "linear",
  about: "logistic regression, or ridge regression where the target is a number",
  parameters: {
    lr: { type: "float", min: 1e-4, max: 10, default: 0.1, about: "AdaGrad's learning rate" },
    l2: { type: "float", min: 0, max: 10, default: 1e-4, about: "penalty on squared weights" },
    ...classWeightParameters,
    ...scheduleParameters,
  },
  backends: ["sparse"],
  data: "table",
  reference: { params: {}, rowsPerEpoch: 512, loss: 0.4028, examplesPerSecond: 1_700_000 },
  defaultSpace: {
    lr: { distribution: "log-uniform", min: 0.01, max: 1 },
    l2: { distribution: "log-uniform", min: 1e-6, max: 0.1 },
  },
  metrics: tableMetrics,
  create: createLinear,
  load: loadLinear,
};
