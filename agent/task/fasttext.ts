/**
 * fastText's supervised model (Joulin et al. 2016): the mean of n-gram embeddings, one linear layer,
 * softmax, plain SGD whose rate falls linearly. The fall ends at `decayEpochs`, not at the trial's target,
 * so that a trial promoted to more epochs goes on exactly where it would have been.
 */
import type { ModelDeclaration } from "./task.ts";
import { numberParam } from "./parameter.ts";
import { stream } from "./random.ts";
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

/** The rate never falls below this share of where it began. */
const rateFloor = 0.05;

function fasttextEngine({ params, seed, rows, labels }: SparseEngineOptions): SparseEngine {
  const rate = numberParam(params, "lr");
  const decayEpochs = numberParam(params, "decayEpochs");
  const dim = numberParam(params, "dim");
  const random = stream(seed, "embedding", 0);
  const embeddings = Float32Array.from({ length: rows * dim }, () => (random.next() * 2 - 1) / dim);
  const output = new Float32Array(labels * dim);
  const hidden = new Float64Array(dim);
  const gradient = new Float64Array(dim);
  const scores = new Float64Array(labels);

  const score = (features: Int32Array, from: number, to: number, out: Float64Array): void => {
    hidden.fill(0);
    for (let at = from; at < to; at++) {
      const base = (features[at] ?? 0) * dim;
      for (let index = 0; index < dim; index++)
        hidden[index] = (hidden[index] ?? 0) + (embeddings[base + index] ?? 0);
    }
    const scale = to > from ? 1 / (to - from) : 0;
    for (let index = 0; index < dim; index++) hidden[index] = (hidden[index] ?? 0) * scale;
    for (let label = 0; label < labels; label++) {
      const base = label * dim;
      let sum = 0;
      for (let index = 0; index < dim; index++) sum += (output[base + index] ?? 0) * (hidden[index] ?? 0);
      out[label] = sum;
    }
    softmax(out);
  };

  const learn = (features: Int32Array, from: number, to: number, truth: number, progress: number): number => {
    score(features, from, to, scores);
    const loss = -Math.log(Math.max(Number.MIN_VALUE, scores[truth] ?? 0));
    const step = rate * Math.max(rateFloor, 1 - progress / decayEpochs);
    gradient.fill(0);
    for (let label = 0; label < labels; label++) {
      const push = step * ((label === truth ? 1 : 0) - (scores[label] ?? 0));
      const base = label * dim;
      for (let index = 0; index < dim; index++) {
        const weight = output[base + index] ?? 0;
        gradient[index] = (gradient[index] ?? 0) + push * weight;
        output[base + index] = weight + push * (hidden[index] ?? 0);
      }
    }
    if (to === from) return loss;
    const scale = 1 / (to - from);
    for (let index = 0; index < dim; index++) gradient[index] = (gradient[index] ?? 0) * scale;
    for (let at = from; at < to; at++) {
      const base = (features[at] ?? 0) * dim;
      for (let index = 0; index < dim; index++) {
        embeddings[base + index] = (embeddings[base + index] ?? 0) + (gradient[index] ?? 0);
      }
    }
    return loss;
  };

  return {
    learn,
    score,
    tensors: new Map([
      ["embeddings", { shape: [rows, dim], data: embeddings }],
      ["output", { shape: [labels, dim], data: output }],
    ]),
  };
}

const model: SparseModel = { model: "fasttext", engine: fasttextEngine };

export const fasttext: ModelDeclaration = {
  task: textClassification,
  model: model.model,
  about: "fastText: mean of word and character n-gram embeddings, one linear layer",
  parameters: {
    lr: { type: "float", min: 1e-3, max: 10, default: 0.5, about: "learning rate at the start" },
    decayEpochs: {
      type: "int",
      min: 1,
      max: 1000,
      default: 10,
      about: "epochs in which the rate falls to a twentieth",
    },
    dim: { type: "int", min: 2, max: 512, default: 32, about: "width of the embeddings" },
    ...ngramParameters,
  },
  backends: ["sparse"],
  data: "text",
  reference: { params: { lr: 8, dim: 32 }, rowsPerEpoch: 512, loss: 1.0516, examplesPerSecond: 140_000 },
  defaultSpace: {
    lr: { distribution: "log-uniform", min: 0.2, max: 3 },
    dim: { distribution: "choice", values: [16, 32, 48] },
    wordNgrams: { distribution: "int", min: 1, max: 3 },
    charMin: { distribution: "int", min: 1, max: 4 },
    charMax: { distribution: "int", min: 4, max: 6 },
    bucketBits: { distribution: "choice", values: [14, 15, 16] },
  },
  metrics: classificationMetrics,
  create: (options) => createSparseTrainer(model, options),
  load: (bytes) => loadSparsePredictor(model, bytes),
};
