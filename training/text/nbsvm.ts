/**
 * NB-SVM (Wang and Manning 2012): a linear classifier whose binarised n-grams are scaled by naive Bayes'
 * log-count ratios, its weights mixed with their mean magnitude, which is naive Bayes again. One classifier per
 * label against the rest. Descended by AdaGrad as `linear.ts` is, on the logistic loss or the squared hinge.
 */
import { numberParam } from "../task/parameter.ts";
import { linearModule, linearScratchBytes } from "../sparse/linear-kernel.ts";
import type { NgramRows } from "../sparse/ngram.ts";
import { vectorsOf } from "../sparse/sparse-engine.ts";
import {
  createSparseTrainer,
  loadSparsePredictor,
  sparseParameters,
  type SparseModel,
} from "./sparse-classifier.ts";
import type { ModelDeclaration } from "../task/task.ts";
import { classificationMetrics, textClassification } from "./text-classification.ts";

const model: SparseModel = {
  model: "nbsvm",
  binary: true,
  plan: ({ params, rows, labels, train, shared }) => {
    const vectors = vectorsOf(labels);
    const mix = numberParam(params, "mix");
    const smoothing = numberParam(params, "smoothing");
    return {
      module: linearModule({
        vectors,
        ratios: true,
        shared,
        loss: params["loss"] === "logistic" ? "logistic" : "squared-hinge",
      }),
      tensors: [
        { name: "weights", rows, width: labels },
        { name: "bias", rows: 1, width: labels },
        { name: "adagrad.weights", rows, width: 1 },
        { name: "adagrad.bias", rows: 1, width: 1 },
        {
          name: "ratios",
          rows,
          width: labels,
          // A checkpoint brings its own.
          fill: (values, stride) => {
            if (train !== null) fillLogCountRatios(values, stride, train, labels, smoothing);
          },
        },
        { name: "means", rows: 1, width: labels },
      ],
      numbers: [numberParam(params, "l2"), mix],
      scratchBytes: linearScratchBytes(vectors, labels),
      beforeScore: (values) => meanMagnitudes(values("weights"), values("means"), rows, 1 - mix),
    };
  },
};

/**
 * [rows, labels]: ln of how much likelier an n-gram is in texts of the label than in others, counted once per
 * text, with `smoothing` added to every count.
 */
export function fillLogCountRatios(
  values: Float32Array,
  stride: number,
  train: NgramRows,
  labels: number,
  smoothing: number,
): void {
  const rows = values.length / stride;
  const counts = new Float64Array(rows * labels);
  const totals = new Float64Array(labels);
  train.labels.forEach((label, example) => {
    const to = train.offsets[example + 1] ?? 0;
    for (let at = train.offsets[example] ?? 0; at < to; at++) {
      const cell = (train.rows[at] ?? 0) * labels + label;
      counts[cell] = (counts[cell] ?? 0) + 1;
      totals[label] = (totals[label] ?? 0) + 1;
    }
  });
  const all = totals.reduce((sum, total) => sum + total, 0);
  for (let row = 0; row < rows; row++) {
    let ofRow = 0;
    for (let label = 0; label < labels; label++) ofRow += counts[row * labels + label] ?? 0;
    for (let label = 0; label < labels; label++) {
      const here = counts[row * labels + label] ?? 0;
      const total = totals[label] ?? 0;
      const share = (here + smoothing) / (total + rows * smoothing);
      const otherShare = (ofRow - here + smoothing) / (all - total + rows * smoothing);
      values[row * stride + label] = Math.log(share / otherShare);
    }
  }
}

/** Each label's mean |weight|, times `share`. */
export function meanMagnitudes(
  weights: Float32Array,
  means: Float32Array,
  rows: number,
  share: number,
): void {
  const stride = means.length;
  for (let label = 0; label < stride; label++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += Math.abs(weights[row * stride + label] ?? 0);
    means[label] = (share * sum) / Math.max(1, rows);
  }
}

export const nbsvm: ModelDeclaration = {
  task: textClassification,
  model: model.model,
  about: "NB-SVM: a linear classifier on n-grams scaled by naive Bayes' log-count ratios",
  parameters: {
    lr: { type: "float", min: 1e-4, max: 10, default: 0.1, about: "AdaGrad's learning rate" },
    l2: {
      type: "float",
      min: 0,
      max: 0.1,
      default: 1e-4,
      about: "weight decay, applied where an n-gram occurs",
    },
    loss: {
      type: "choice",
      choices: ["logistic", "squared-hinge"],
      default: "squared-hinge",
      about: "what is descended; the squared hinge makes it an SVM",
    },
    mix: {
      type: "float",
      min: 0,
      max: 1,
      default: 0.5,
      about: "share of the learnt weights; the rest is naive Bayes",
    },
    smoothing: {
      type: "float",
      min: 1e-3,
      max: 100,
      default: 1,
      about: "added to each n-gram's count before ratios are taken",
    },
    ...sparseParameters,
    wordNgrams: { ...sparseParameters.wordNgrams, default: 2 },
    charMin: { ...sparseParameters.charMin, default: 3 },
    charMax: { ...sparseParameters.charMax, default: 5 },
    bucketBits: { ...sparseParameters.bucketBits, default: 19 },
  },
  backends: ["sparse"],
  data: "text",
  reference: { params: {}, rowsPerEpoch: 512, loss: 1.7777, examplesPerSecond: 250_000 },
  defaultSpace: {
    lr: { distribution: "log-uniform", min: 0.03, max: 0.2 },
    l2: { distribution: "log-uniform", min: 1e-6, max: 1e-2 },
    loss: { distribution: "choice", values: ["logistic", "squared-hinge"] },
    mix: { distribution: "uniform", min: 0.3, max: 1 },
    smoothing: { distribution: "log-uniform", min: 0.1, max: 1 },
    wordNgrams: { distribution: "int", min: 1, max: 2 },
    charMax: { distribution: "int", min: 5, max: 6 },
    bucketBits: { distribution: "choice", values: [18, 19, 20] },
  },
  metrics: classificationMetrics,
  create: (options) => createSparseTrainer(model, options),
  load: (bytes) => loadSparsePredictor(model, bytes),
};
