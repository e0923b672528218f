/**
 * Adam (Kingma and Ba 2015) on a weight's own arrays: at the sizes trained here one pass over four arrays
 * costs less than the ten kernel calls it would be on a backend.
 */
import type { TensorData } from "./checkpoint.ts";

export interface AdamWeight {
  readonly shape: readonly number[];
  readonly value: Float32Array;
  readonly mean: Float32Array;
  readonly square: Float32Array;
  /** The three arrays by the names a checkpoint keeps them under. */
  readonly tensors: readonly (readonly [string, TensorData])[];
}

const beta1 = 0.9;
const beta2 = 0.999;
const epsilon = 1e-7;

export function adamWeight(name: string, shape: readonly number[], initial: () => number): AdamWeight {
  const length = shape.reduce((product, size) => product * size, 1);
  const value = Float32Array.from({ length }, initial);
  const mean = new Float32Array(length);
  const square = new Float32Array(length);
  return {
    shape,
    value,
    mean,
    square,
    tensors: [
      [name, { shape, data: value }],
      [`adam.mean.${name}`, { shape, data: mean }],
      [`adam.square.${name}`, { shape, data: square }],
    ],
  };
}

/** One step; `step` counts from 0. */
export function adamStep(
  { value, mean, square }: AdamWeight,
  gradient: Float32Array,
  lr: number,
  step: number,
): void {
  const rate = (lr * Math.sqrt(1 - beta2 ** (step + 1))) / (1 - beta1 ** (step + 1));
  for (let at = 0; at < value.length; at++) {
    const slope = gradient[at] ?? 0;
    const m = beta1 * (mean[at] ?? 0) + (1 - beta1) * slope;
    const v = beta2 * (square[at] ?? 0) + (1 - beta2) * slope * slope;
    mean[at] = m;
    square[at] = v;
    value[at] = (value[at] ?? 0) - (rate * m) / (Math.sqrt(v) + epsilon);
  }
}
