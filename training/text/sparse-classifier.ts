/**
 * The trainer around a sparse model: order of examples, learning rates, class weights, evaluation, checkpoints,
 * prediction. What one step computes is the model's kernel (`sparse/`). Gradients are not clipped: a text's
 * share of any weight is at most its rate.
 */
import { availableParallelism } from "node:os";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Params } from "../../protocol/value.ts";
import { decodeCheckpoint, encodeCheckpoint, type Checkpoint } from "../task/checkpoint.ts";
import { classWeightParameters, classWeights } from "../task/class-weight.ts";
import { Evaluations } from "../task/classification-report.ts";
import { MetricTally } from "../task/metric.ts";
import {
  bucketsOfTable,
  ngramDataset,
  ngramRows,
  tableFromBuckets,
  type NgramTable,
} from "../sparse/ngram.ts";
import type { NgramSetting } from "../sparse/ngram-sink.ts";
import { numberParam } from "../task/parameter.ts";
import { permutation } from "../tensor/seeded-stream.ts";
import { rateShare, scheduleOf, scheduleParameters } from "../task/learning-rate.ts";
import { SparseEngine, type KernelPlan, type PlanOptions } from "../sparse/sparse-engine.ts";
import type {
  Metrics,
  ParameterSpec,
  Prediction,
  Predictor,
  Restored,
  Trainer,
  TrainerOptions,
} from "../task/task.ts";
import { rankedPredictions, textClassification, trainableText } from "./text-classification.ts";

export interface SparseModel {
  readonly model: string;
  /** Whether an n-gram counts once per text, however often it occurs. */
  readonly binary: boolean;
  plan(options: PlanOptions): KernelPlan;
}

/** Of a checkpoint: [rows], the bucket of each row. */
export const bucketsTensor = "buckets";

/** Parameters that all sparse models share. */
export const sparseParameters = {
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
  threads: {
    type: "int",
    min: 1,
    max: 64,
    default: 1,
    about: "threads that learn at once, as far as the slot has them; above 1 no two runs are the same",
  },
  ...scheduleParameters,
  ...classWeightParameters,
} as const satisfies Record<string, ParameterSpec>;

export function ngramSetting(params: Params, { binary }: Pick<SparseModel, "binary">): NgramSetting {
  return {
    wordNgrams: numberParam(params, "wordNgrams"),
    charMin: numberParam(params, "charMin"),
    charMax: numberParam(params, "charMax"),
    bucketBits: numberParam(params, "bucketBits"),
    minCount: numberParam(params, "minCount"),
    binary,
  };
}

export function createSparseTrainer(model: SparseModel, options: TrainerOptions): Outcome<Trainer> {
  const { params, seed } = options;
  const checked = trainableText(options.dataset);
  if (!checked.ok) return checked;
  const { labels } = checked.value;
  const setting = ngramSetting(params, model);
  const ngrams = ngramDataset(checked.value, setting);
  const { train } = ngrams;
  const threads = Math.min(numberParam(params, "threads"), slotThreads());
  const shared = threads > 1;
  const planned = model.plan({ params, seed, rows: ngrams.rows, labels: labels.length, train, shared });
  const created = SparseEngine.create(planned, labels.length, threads);
  if (!created.ok) return created;
  return accept(
    new SparseTrainer(model, options, { labels, ngrams, setting, shared, engine: created.value }),
  );
}

interface SparseParts {
  readonly labels: readonly string[];
  readonly ngrams: ReturnType<typeof ngramDataset>;
  readonly setting: NgramSetting;
  /** Whether several threads learn at once. */
  readonly shared: boolean;
  readonly engine: SparseEngine;
}

class SparseTrainer implements Trainer {
  readonly predictor: Predictor;
  readonly #model: SparseModel;
  readonly #options: TrainerOptions;
  readonly #parts: SparseParts;
  readonly #evaluations = new Evaluations();
  /** Of each label's examples in the loss. */
  readonly #weights: Float32Array;
  readonly #schedule: ReturnType<typeof scheduleOf>;
  readonly #rate: number;
  #epoch = 0;

  constructor(model: SparseModel, options: TrainerOptions, parts: SparseParts) {
    const { params } = options;
    const { engine, labels, ngrams, setting } = parts;
    this.predictor = predictorOf(engine, labels, setting, ngrams);
    this.#model = model;
    this.#options = options;
    this.#parts = parts;
    const balanced = params["classWeights"] === "balanced";
    this.#weights = classWeights(balanced, ngrams.train.labels, labels.length);
    this.#schedule = scheduleOf(params);
    this.#rate = numberParam(params, "lr");
  }

  get epoch(): number {
    return this.#epoch;
  }

  get #examples(): number {
    return this.#parts.ngrams.train.labels.length;
  }

  async trainEpoch(): Promise<{ readonly loss: number }> {
    const { engine, ngrams } = this.#parts;
    const examples = this.#examples;
    const rates = new Float32Array(examples);
    for (let at = 0; at < examples; at++)
      rates[at] = this.#rate * rateShare(this.#schedule, this.#epoch + at / examples);
    const order = permutation(examples, this.#options.seed, this.#epoch);
    const loss = await engine.learn(ngrams.train, this.#weights, order, rates);
    this.#evaluations.clear();
    this.#epoch++;
    return { loss };
  }

  evaluate(split: "validation" | "test"): Metrics {
    const { engine, labels, ngrams } = this.#parts;
    const tally = new MetricTally(labels.length);
    const data = ngrams[split];
    engine.score(data, (probabilities, at, example) =>
      tally.add(probabilities, at, data.labels[example] ?? 0),
    );
    return this.#evaluations.add(split, tally);
  }

  save(): Uint8Array {
    const { backend, params, seed } = this.#options;
    const { engine, labels, ngrams } = this.#parts;
    return encodeCheckpoint(
      {
        format: "trialmesh-checkpoint",
        version: 1,
        task: textClassification,
        model: this.#model.model,
        params,
        labels: [...labels],
        seed,
        epoch: this.#epoch,
        step: this.#epoch * this.#examples,
        backend: backend.name,
        extra: {},
        ...this.#evaluations.meta,
      },
      new Map([...engine.tensors(), [bucketsTensor, { shape: [ngrams.rows], data: bucketsOfTable(ngrams) }]]),
    );
  }

  restore(bytes: Uint8Array): Outcome<Restored> {
    const { engine, shared } = this.#parts;
    const saved = readCheckpoint(this.#model, bytes);
    if (!saved.ok) return saved;
    const { meta, tensors } = saved.value.checkpoint;
    const filled = engine.restore(tensors);
    if (!filled.ok) return filled;
    this.#epoch = meta.epoch;
    this.#evaluations.clear();
    return accept({ exact: meta.backend === this.#options.backend.name && !shared });
  }

  dispose(): void {
    this.#parts.engine.dispose();
  }
}

/** Threads that the slot this process works for may use: the same number that numeric libraries get. */
function slotThreads(): number {
  const told = Number(process.env["OMP_NUM_THREADS"]);
  return Number.isInteger(told) && told > 0 ? told : availableParallelism();
}

export function loadSparsePredictor(model: SparseModel, bytes: Uint8Array): Outcome<Predictor> {
  const saved = readCheckpoint(model, bytes);
  if (!saved.ok) return saved;
  const { meta, tensors } = saved.value.checkpoint;
  const setting = ngramSetting(meta.params, model);
  const table = tableFromBuckets(saved.value.buckets, setting.bucketBits);
  const labels = meta.labels.length;
  const planned = model.plan({
    params: meta.params,
    seed: meta.seed,
    rows: table.rows,
    labels,
    train: null,
    shared: false,
  });
  const engine = SparseEngine.create(planned, labels);
  if (!engine.ok) return engine;
  const filled = engine.value.restore(tensors);
  return filled.ok ? accept(predictorOf(engine.value, meta.labels, setting, table)) : filled;
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
      const ranked: (readonly Prediction[])[] = [];
      engine.score(ngramRows(texts, setting, table), (probabilities, at) =>
        ranked.push(rankedPredictions(labels, probabilities, at)),
      );
      return ranked;
    },
    probabilities: (texts) => {
      const out = new Float32Array(texts.length * labels.length);
      engine.score(ngramRows(texts, setting, table), (probabilities, at, text) => {
        for (let label = 0; label < labels.length; label++)
          out[text * labels.length + label] = probabilities[at + label] ?? 0;
      });
      return out;
    },
    dispose: () => undefined,
  };
}
