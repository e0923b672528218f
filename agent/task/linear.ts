/**
 * Multinomial logistic regression on hashed n-grams, one example at a time. Each n-gram's weights share
 * one AdaGrad accumulator (Duchi et al. 2011, per row rather than per weight), which keeps a checkpoint
 * at one number per n-gram and label. Each text's features are scaled to unit length.
 */
import type { ModelDeclaration } from "./task.ts";
import { numberParam } from "./parameter.ts";
import { softmax } from "./softmax.ts";
import {
  createSparseTrainer,
  loadSparsePredictor,
  ngramParameters,
  type SparseEngine,
  type SparseEngineOptions,
  type SparseModel,
} from "./sparse-classifier.ts";
import { classificationMetrics, textClassification } from "./text-classification.ts";

const accumulatorMin = 1e-8;

function linearEngine({ params, rows, labels }: SparseEngineOptions): SparseEngine {
  const rate = numberParam(params, "lr");
  const l2 = numberParam(params, "l2");
  const weights = new Float32Array(rows * labels);
  const squares = new Float32Array(rows);
  const bias = new Float32Array(labels);
  const biasSquares = new Float32Array(1);
  const scores = new Float64Array(labels);

  const score = (features: Int32Array, from: number, to: number, out: Float64Array): void => {
    out.fill(0);
    for (let at = from; at < to; at++) {
      const base = (features[at] ?? 0) * labels;
      for (let label = 0; label < labels; label++)
        out[label] = (out[label] ?? 0) + (weights[base + label] ?? 0);
    }
    const scale = to > from ? 1 / Math.sqrt(to - from) : 0;
    for (let label = 0; label < labels; label++) out[label] = (out[label] ?? 0) * scale + (bias[label] ?? 0);
    softmax(out);
  };

  const learn = (features: Int32Array, from: number, to: number, truth: number): number => {
    score(features, from, to, scores);
    const loss = -Math.log(Math.max(Number.MIN_VALUE, scores[truth] ?? 0));
    scores[truth] = (scores[truth] ?? 0) - 1;
    let square = 0;
    for (let label = 0; label < labels; label++) square += (scores[label] ?? 0) ** 2;
    biasSquares[0] = (biasSquares[0] ?? 0) + square;
    const biasRate = rate / Math.sqrt((biasSquares[0] ?? 0) + accumulatorMin);
    for (let label = 0; label < labels; label++)
      bias[label] = (bias[label] ?? 0) - biasRate * (scores[label] ?? 0);
    if (to === from) return loss;
    const scale = 1 / Math.sqrt(to - from);
    const featureSquare = square * scale * scale;
    for (let at = from; at < to; at++) {
      const row = features[at] ?? 0;
      const sum = (squares[row] ?? 0) + featureSquare;
      squares[row] = sum;
      const step = rate / Math.sqrt(sum + accumulatorMin);
      const keep = 1 - step * l2;
      const push = step * scale;
      const base = row * labels;
      for (let label = 0; label < labels; label++) {
        weights[base + label] = (weights[base + label] ?? 0) * keep - push * (scores[label] ?? 0);
      }
    }
    return loss;
  };

  return {
    learn,
    score,
    tensors: new Map([
      ["weights", { shape: [rows, labels], data: weights }],
      ["bias", { shape: [labels], data: bias }],
      ["adagrad.weights", { shape: [rows], data: squares }],
      ["adagrad.bias", { shape: [1], data: biasSquares }],
    ]),
  };
}

const model: SparseModel = { model: "linear", engine: linearEngine };

export const linear: ModelDeclaration = {
  task: textClassification,
  model: model.model,
  about: "logistic regression on hashed word and character n-grams",
  parameters: {
    lr: { type: "float", min: 1e-4, max: 10, default: 0.3, about: "AdaGrad's learning rate" },
    l2: {
      type: "float",
      min: 0,
      max: 0.1,
      default: 1e-6,
      about: "weight decay, applied where an n-gram occurs",
    },
    ...ngramParameters,
  },
  backends: ["sparse"],
  data: "text",
  reference: { params: {}, rowsPerEpoch: 512, loss: 1.0638, examplesPerSecond: 500_000 },
  defaultSpace: {
    lr: { distribution: "log-uniform", min: 0.1, max: 1.5 },
    l2: { distribution: "log-uniform", min: 1e-7, max: 1e-4 },
    wordNgrams: { distribution: "int", min: 1, max: 3 },
    charMin: { distribution: "int", min: 1, max: 4 },
    charMax: { distribution: "int", min: 4, max: 6 },
    bucketBits: { distribution: "choice", values: [14, 15, 16] },
  },
  metrics: classificationMetrics,
  create: (options) => createSparseTrainer(model, options),
  load: (bytes) => loadSparsePredictor(model, bytes),
};
