/**
 * The trainer around a sparse engine: order of examples, evaluation, checkpoints, prediction. An engine
 * (`linear.ts`, `fasttext.ts`) only learns one example and scores one; all state it has is its tensors.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Params } from "../../protocol/value.ts";
import {
  decodeCheckpoint,
  encodeCheckpoint,
  fillTensors,
  type Checkpoint,
  type TensorData,
} from "./checkpoint.ts";
import { MetricTally } from "./metric.ts";
import {
  bucketsOfTable,
  ngramDataset,
  ngramRows,
  tableFromBuckets,
  type NgramRows,
  type NgramSetting,
  type NgramTable,
} from "./ngram.ts";
import { numberParam } from "./parameter.ts";
import { permutation } from "./random.ts";
import type { Metrics, ParameterSpec, Predictor, Trainer, TrainerOptions } from "./task.ts";
import { rankedPredictions, textClassification, trainableText } from "./text-classification.ts";

export interface SparseEngine {
  /** Live weights and optimizer state, by name; a checkpoint copies from and into them. */
  readonly tensors: ReadonlyMap<string, TensorData>;
  /** Learns one example, `rows[from .. to)`; gives its log loss before the step. `progress` is in epochs. */
  learn(rows: Int32Array, from: number, to: number, label: number, progress: number): number;
  /** Writes the label probabilities of one example into `out`. */
  score(rows: Int32Array, from: number, to: number, out: Float64Array): void;
}

export interface SparseEngineOptions {
  readonly params: Params;
  readonly seed: number;
  readonly rows: number;
  readonly labels: number;
}

export interface SparseModel {
  readonly model: string;
  engine(options: SparseEngineOptions): SparseEngine;
}

const bucketsTensor = "buckets";

/** Parameters of the hashed n-grams, shared by the sparse models. */
export const ngramParameters = {
  wordNgrams: { type: "int", min: 1, max: 4, default: 1, about: "longest word n-gram, in words" },
  charMin: { type: "int", min: 1, max: 8, default: 2, about: "shortest character n-gram, in characters" },
  charMax: { type: "int", min: 0, max: 8, default: 4, about: "longest character n-gram; 0 for none" },
  bucketBits: {
    type: "int",
    min: 8,
    max: 22,
    default: 16,
    about: "n-grams are hashed into 2 to this power buckets",
  },
  minCount: {
    type: "int",
    min: 1,
    max: 100,
    default: 1,
    about: "n-grams seen less often in training are left out",
  },
} as const satisfies Record<string, ParameterSpec>;

function ngramSetting(params: Params): NgramSetting {
  return {
    wordNgrams: numberParam(params, "wordNgrams"),
    charMin: numberParam(params, "charMin"),
    charMax: numberParam(params, "charMax"),
    bucketBits: numberParam(params, "bucketBits"),
    minCount: numberParam(params, "minCount"),
  };
}

export function createSparseTrainer(model: SparseModel, options: TrainerOptions): Outcome<Trainer> {
  const { params, seed } = options;
  const checked = trainableText(options.dataset);
  if (!checked.ok) return checked;
  const dataset = checked.value;
  const setting = ngramSetting(params);
  const ngrams = ngramDataset(dataset, setting);
  const { labels } = dataset;
  const engine = model.engine({ params, seed, rows: ngrams.rows, labels: labels.length });
  let epoch = 0;
  return accept({
    predictor: predictorOf(engine, labels, setting, ngrams),
    get epoch() {
      return epoch;
    },
    trainEpoch: () => {
      const loss = runEpoch(engine, ngrams.train, permutation(dataset.train.length, seed, epoch), epoch);
      epoch++;
      return Promise.resolve({ loss });
    },
    evaluate: (split) => evaluate(engine, ngrams[split], labels.length),
    save: () =>
      encodeCheckpoint(
        {
          format: "trialmesh-checkpoint",
          version: 1,
          task: textClassification,
          model: model.model,
          params,
          labels: [...labels],
          seed,
          epoch,
          step: epoch * dataset.train.length,
          backend: options.backend.name,
          extra: {},
        },
        new Map([...engine.tensors, [bucketsTensor, { shape: [ngrams.rows], data: bucketsOfTable(ngrams) }]]),
      ),
    restore: (bytes) => {
      const saved = readCheckpoint(model, bytes);
      if (!saved.ok) return saved;
      const filled = fillTensors(engine.tensors, saved.value.checkpoint.tensors);
      if (filled.ok) epoch = saved.value.checkpoint.meta.epoch;
      return filled;
    },
    dispose: () => undefined,
  });
}

export function loadSparsePredictor(model: SparseModel, bytes: Uint8Array): Outcome<Predictor> {
  const saved = readCheckpoint(model, bytes);
  if (!saved.ok) return saved;
  const { meta, tensors } = saved.value.checkpoint;
  const setting = ngramSetting(meta.params);
  const table = tableFromBuckets(saved.value.buckets, setting.bucketBits);
  const engine = model.engine({
    params: meta.params,
    seed: meta.seed,
    rows: table.rows,
    labels: meta.labels.length,
  });
  const filled = fillTensors(engine.tensors, tensors);
  return filled.ok ? accept(predictorOf(engine, meta.labels, setting, table)) : filled;
}

function readCheckpoint(
  model: SparseModel,
  bytes: Uint8Array,
): Outcome<{ readonly checkpoint: Checkpoint; readonly buckets: Int32Array }> {
  const decoded = decodeCheckpoint(bytes);
  if (!decoded.ok) return decoded;
  const { meta, tensors } = decoded.value;
  const buckets = tensors.get(bucketsTensor)?.data;
  if (meta.model !== model.model || !(buckets instanceof Int32Array)) {
    return refuse("invalid", `the checkpoint is of model ${meta.model}, not of ${model.model}`);
  }
  return accept({ checkpoint: decoded.value, buckets });
}

function runEpoch(engine: SparseEngine, data: NgramRows, order: Int32Array, epoch: number): number {
  const { offsets, rows, labels } = data;
  let sum = 0;
  for (let index = 0; index < order.length; index++) {
    const example = order[index] ?? 0;
    const from = offsets[example] ?? 0;
    const to = offsets[example + 1] ?? 0;
    sum += engine.learn(rows, from, to, labels[example] ?? 0, epoch + index / order.length);
  }
  return sum / order.length;
}

function evaluate(engine: SparseEngine, data: NgramRows, labels: number): Metrics {
  const tally = new MetricTally(labels);
  const out = new Float64Array(labels);
  for (let example = 0; example < data.labels.length; example++) {
    engine.score(data.rows, data.offsets[example] ?? 0, data.offsets[example + 1] ?? 0, out);
    tally.add(out, 0, data.labels[example] ?? 0);
  }
  return { ...tally.result() };
}

function predictorOf(
  engine: SparseEngine,
  labels: readonly string[],
  setting: NgramSetting,
  table: NgramTable,
): Predictor {
  return {
    kind: "text",
    labels,
    predict: (texts) => {
      const data = ngramRows(texts, setting, table);
      const out = new Float64Array(labels.length);
      return texts.map((_, index) => {
        engine.score(data.rows, data.offsets[index] ?? 0, data.offsets[index + 1] ?? 0, out);
        return rankedPredictions(labels, out, 0);
      });
    },
    dispose: () => undefined,
  };
}
