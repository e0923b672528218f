/**
 * fastText's supervised model (Joulin et al. 2016): the mean of n-gram embeddings, one linear layer,
 * softmax, plain SGD. Its rate falls linearly unless told otherwise.
 */
import { numberParam } from "../task/parameter.ts";
import { mix } from "../../numeric/mix.ts";
import { fasttextModule, fasttextScratchBytes } from "../sparse/fasttext-kernel.ts";
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
  model: "fasttext",
  binary: false,
  plan: ({ params, seed, rows, labels, shared }) => {
    const dim = numberParam(params, "dim");
    const vectors = vectorsOf(dim);
    return {
      module: fasttextModule(vectors, shared),
      tensors: [
        {
          name: "embeddings",
          rows,
          width: dim,
          fill: (values, stride) => fillUniform(values, { rows, width: dim, stride, seed }),
        },
        { name: "output", rows: labels, width: dim },
      ],
      numbers: [],
      scratchBytes: fasttextScratchBytes(vectors, labels),
    };
  },
};

const lowBits = 8;
const unit = 2 ** -24;

/** Uniform in [-1 / width, 1 / width), as fastText begins: each number from a hash of the seed and its place. */
function fillUniform(
  values: Float32Array,
  {
    rows,
    width,
    stride,
    seed,
  }: { readonly rows: number; readonly width: number; readonly stride: number; readonly seed: number },
): void {
  const mixed = mix(seed | 0);
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < width; at++) {
      const hash = mix(mixed ^ mix(row * width + at));
      values[row * stride + at] = ((hash >>> lowBits) * unit * 2 - 1) / width;
    }
  }
}

export const fasttext: ModelDeclaration = {
  task: textClassification,
  model: model.model,
  about: "fastText: mean of word and character n-gram embeddings, one linear layer",
  parameters: {
    lr: { type: "float", min: 1e-3, max: 10, default: 0.5, about: "learning rate at the start" },
    dim: { type: "int", min: 2, max: 512, default: 32, about: "width of the embeddings" },
    ...sparseParameters,
    schedule: { ...sparseParameters.schedule, default: "linear" },
  },
  backends: ["sparse"],
  data: "text",
  reference: { params: { lr: 8, dim: 32 }, rowsPerEpoch: 512, loss: 1.0871, examplesPerSecond: 140_000 },
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
