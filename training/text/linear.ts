/**
 * Multinomial logistic regression on hashed n-grams, one example at a time. Each n-gram's weights share
 * one AdaGrad accumulator (Duchi et al. 2011, per row rather than per weight), which keeps a checkpoint
 * at one number per n-gram and label. Each text's features are scaled to unit length.
 */
import { numberParam } from "../task/parameter.ts";
import { linearModule, linearScratchBytes } from "../sparse/linear-kernel.ts";
import { vectorsOf } from "../sparse/sparse-engine.ts";
import {
  createSparseTrainer,
  loadSparsePredictor,
  sparseParameters,
  type SparseModel,
} from "./sparse-classifier.ts";
import type { ModelDeclaration } from "../task/task.ts";
import { classificationMetrics, textClassification } from "./text-classification.ts";

/** The kernel mixes nothing into plain weights. */
const unmixed = 1;

const model: SparseModel = {
  model: "linear",
  binary: false,
  plan: ({ params, rows, labels, shared }) => {
    const vectors = vectorsOf(labels);
    return {
      module: linearModule({ vectors, ratios: false, loss: "logistic", shared }),
      tensors: [
        { name: "weights", rows, width: labels },
        { name: "bias", rows: 1, width: labels },
        { name: "adagrad.weights", rows, width: 1 },
        { name: "adagrad.bias", rows: 1, width: 1 },
      ],
      numbers: [numberParam(params, "l2"), unmixed],
      scratchBytes: linearScratchBytes(vectors, labels),
    };
  },
};

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
    ...sparseParameters,
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
