/**
 * The network of `textcnn.ts`: weights, loss, one Adam step, probabilities. The dense products run on the
 * backend; the gradients are written out, since the network is short and most of it is sparse. Every
 * public call leaves as many tensors as it found. It knows token numbers, not texts, epochs or checkpoints.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import { valuesOf, type TensorFlow } from "../runtime/backend.ts";
import { adamStep, adamWeight, type AdamWeight } from "./adam.ts";
import type { TensorData } from "./checkpoint.ts";
import { convMax } from "./conv-max.ts";
import { stream } from "./random.ts";

export interface NetworkShape {
  readonly vocabulary: number;
  /** Tokens per text. */
  readonly length: number;
  readonly width: number;
  readonly filters: number;
  /** Window sizes in tokens. */
  readonly windows: readonly number[];
  readonly labels: number;
}

export interface NetworkOptions {
  readonly lr: number;
  /** Share of features left out in a training step. */
  readonly dropout: number;
  readonly seed: number;
}

export interface Network {
  /** One Adam step on tokens [batch, length]; the batch's mean log loss before the step. */
  step(tokens: Int32Array, labels: Int32Array, step: number): number;
  /** [batch, labels] probabilities. */
  probabilities(tokens: Int32Array): Float32Array;
  /** Live weights and Adam's moments: a checkpoint copies from and into them. */
  readonly tensors: ReadonlyMap<string, TensorData>;
}

export function createNetwork(
  tf: TensorFlow,
  shape: NetworkShape,
  { lr, dropout, seed }: NetworkOptions,
): Network {
  const { vocabulary, length, width, filters, windows, labels } = shape;
  const hidden = filters * windows.length;
  const random = stream(seed, "weights", 0);
  const uniform = (name: string, dims: readonly number[], bound: number): AdamWeight =>
    adamWeight(name, dims, () => (random.next() * 2 - 1) * bound);
  const glorot = (inputs: number, outputs: number) => Math.sqrt(6 / (inputs + outputs));
  const table = uniform("embeddings", [vocabulary, width], 0.5 / Math.sqrt(width));
  const branches = windows.map((size, index) => ({
    size,
    /** Where this window's features begin among the hidden ones. */
    from: index * filters,
    kernel: uniform(`kernel.${size}`, [size * width, filters], glorot(size * width, filters)),
  }));
  const bias = uniform("bias", [hidden], 0);
  const output = uniform("output", [hidden, labels], glorot(hidden, labels));
  const outputBias = uniform("output.bias", [labels], 0);
  const weights = [table, ...branches.map((branch) => branch.kernel), bias, output, outputBias];

  /** features [batch, hidden] after bias, relu and mask, and each window's way back. */
  const forward = (tokens: Int32Array, mask: Float32Array | null) => {
    const batch = tokens.length / length;
    const features = new Float32Array(batch * hidden);
    const windowed = branches.map(({ size, from, kernel }) => {
      const conv = convMax(tf, tokens, table.value, kernel.value, { batch, length, size, width, filters });
      // The maximum commutes with bias and relu, and there is much less of it.
      for (let at = 0; at < conv.top.length; at++) {
        const column = from + (at % filters);
        const cell = Math.floor(at / filters) * hidden + column;
        const value = Math.max(0, (conv.top[at] ?? 0) + (bias.value[column] ?? 0));
        features[cell] = mask === null ? value : value * (mask[cell] ?? 0);
      }
      return { from, kernel, conv };
    });
    return { batch, features, windowed };
  };

  const logits = (features: Tensor): Tensor =>
    tf.add(tf.matMul(features, tensorOf(tf, output)), tensorOf(tf, outputBias));

  return {
    tensors: new Map(weights.flatMap((weight) => weight.tensors)),
    probabilities: (tokens) => {
      const { batch, features } = forward(tokens, null);
      return valuesOf(tf, () => tf.softmax(logits(tf.tensor2d(features, [batch, hidden]))));
    },
    step: (tokens, truths, step) => {
      const mask = dropout === 0 ? null : dropoutMask((tokens.length / length) * hidden, dropout, seed, step);
      const { batch, features, windowed } = forward(tokens, mask);
      const featureTensor = () => tf.tensor2d(features, [batch, hidden]);
      const slope = valuesOf(tf, () => tf.softmax(logits(featureTensor())));
      const loss = toSlope(slope, truths, labels);
      const slopeTensor = () => tf.tensor2d(slope, [batch, labels]);
      const dOutputBias = valuesOf(tf, () => tf.sum(slopeTensor(), 0));
      const dOutput = valuesOf(tf, () => tf.matMul(featureTensor(), slopeTensor(), true, false));
      const dFeatures = valuesOf(tf, () => tf.matMul(slopeTensor(), tensorOf(tf, output), false, true));
      const dTable = new Float32Array(table.value.length);
      const dBias = new Float32Array(hidden);
      const dKernels = windowed.map(({ from, kernel, conv }) => {
        const pull = new Float32Array(batch * filters);
        for (let at = 0; at < pull.length; at++) {
          const column = from + (at % filters);
          const cell = Math.floor(at / filters) * hidden + column;
          if ((features[cell] ?? 0) <= 0) continue; // relu was flat, or dropout cut it off
          const value = (dFeatures[cell] ?? 0) * (mask === null ? 1 : (mask[cell] ?? 0));
          pull[at] = value;
          dBias[column] = (dBias[column] ?? 0) + value;
        }
        const dKernel = new Float32Array(kernel.value.length);
        conv.addGradients(pull, dTable, dKernel);
        return { kernel, dKernel };
      });
      adamStep(table, dTable, lr, step);
      for (const { kernel, dKernel } of dKernels) adamStep(kernel, dKernel, lr, step);
      adamStep(bias, dBias, lr, step);
      adamStep(output, dOutput, lr, step);
      adamStep(outputBias, dOutputBias, lr, step);
      return loss;
    },
  };
}

/** Turns probabilities [batch, labels] into the slope of the mean log loss by the logits; gives that loss. */
function toSlope(probabilities: Float32Array, truths: Int32Array, labels: number): number {
  const batch = truths.length;
  let loss = 0;
  for (let row = 0; row < batch; row++) {
    const cell = row * labels + (truths[row] ?? 0);
    const probability = probabilities[cell] ?? 0;
    loss -= Math.log(Number.isNaN(probability) ? Number.NaN : Math.max(1e-30, probability));
    probabilities[cell] = probability - 1;
  }
  for (let cell = 0; cell < probabilities.length; cell++)
    probabilities[cell] = (probabilities[cell] ?? 0) / batch;
  return loss / batch;
}

/** 0, or 1 / (1 - rate): a fresh mask for every step, the same for the same seed. */
function dropoutMask(length: number, rate: number, seed: number, step: number): Float32Array {
  const random = stream(seed, "dropout", step);
  const kept = 1 / (1 - rate);
  const mask = new Float32Array(length);
  for (let at = 0; at < length; at++) mask[at] = random.next() < rate ? 0 : kept;
  return mask;
}

function tensorOf(tf: TensorFlow, weight: AdamWeight): Tensor {
  return tf.tensor(weight.value, [...weight.shape]);
}
