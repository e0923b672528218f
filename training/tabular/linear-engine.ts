/**
 * Logistic regression, or linear regression with squared error, on typed arrays: one example at a time by
 * AdaGrad (Duchi et al. 2011), with an L2 penalty on the weights (ridge) but not on the bias. It knows scaled
 * rows only, no columns, epochs or checkpoints.
 */
import type { TensorData } from "../tensor/tensor-data.ts";
import { softmax } from "../../numeric/softmax.ts";

export interface LinearEngine {
  /** Live weights and accumulators, by name; a checkpoint copies from and into them. */
  readonly tensors: ReadonlyMap<string, TensorData>;
  /**
   * Learns the row at `rows[at ..]`; gives its loss before the step, unweighted: log loss in nats, or the
   * squared error. `truth` is the label's index, or the scaled target.
   */
  learn(rows: Float32Array, at: number, truth: number, weight: number, rate: number): number;
  /** Probabilities, or the one predicted number, of the row at `rows[at ..]`. */
  score(rows: Float32Array, at: number, out: Float64Array): void;
}

export interface LinearShape {
  readonly features: number;
  readonly outputs: number;
  readonly regression: boolean;
  readonly l2: number;
}

const accumulatorMin = 1e-8;

export function linearEngine({ features, outputs, regression, l2 }: LinearShape): LinearEngine {
  const weights = new Float32Array(features * outputs);
  const squares = new Float32Array(features * outputs);
  const bias = new Float32Array(outputs);
  const biasSquares = new Float32Array(outputs);
  const scores = new Float64Array(outputs);

  const score = (rows: Float32Array, at: number, out: Float64Array): void => {
    out.set(bias);
    for (let feature = 0; feature < features; feature++) {
      const value = rows[at + feature] ?? 0;
      if (value === 0) continue;
      const base = feature * outputs;
      for (let output = 0; output < outputs; output++)
        out[output] = (out[output] ?? 0) + value * (weights[base + output] ?? 0);
    }
    if (!regression) softmax(out);
  };

  /** One weight's step down its gradient; gives the new weight. */
  const step = (
    values: Float32Array,
    accumulators: Float32Array,
    at: number,
    gradient: number,
    rate: number,
  ): void => {
    const sum = (accumulators[at] ?? 0) + gradient * gradient;
    accumulators[at] = sum;
    values[at] = (values[at] ?? 0) - (rate * gradient) / Math.sqrt(sum + accumulatorMin);
  };

  return {
    score,
    learn: (rows, at, truth, weight, rate) => {
      score(rows, at, scores);
      let loss: number;
      if (regression) {
        const error = (scores[0] ?? 0) - truth;
        loss = error * error;
        scores[0] = error;
      } else {
        const probability = scores[truth] ?? 0;
        loss = Number.isNaN(probability) ? Number.NaN : -Math.log(Math.max(Number.MIN_VALUE, probability));
        scores[truth] = probability - 1;
      }
      for (let output = 0; output < outputs; output++) {
        const gradient = weight * (scores[output] ?? 0);
        scores[output] = gradient;
        step(bias, biasSquares, output, gradient, rate);
      }
      for (let feature = 0; feature < features; feature++) {
        const value = rows[at + feature] ?? 0;
        const base = feature * outputs;
        for (let output = 0; output < outputs; output++) {
          const gradient = value * (scores[output] ?? 0) + l2 * (weights[base + output] ?? 0);
          step(weights, squares, base + output, gradient, rate);
        }
      }
      return loss;
    },
    tensors: new Map([
      ["weights", { shape: [features, outputs], data: weights }],
      ["bias", { shape: [outputs], data: bias }],
      ["adagrad.weights", { shape: [features, outputs], data: squares }],
      ["adagrad.bias", { shape: [outputs], data: biasSquares }],
    ]),
  };
}
