/**
 * Adam on typed arrays, for backends where ten kernel calls per weight would cost more than one pass over
 * its arrays. The same rule as `native-adam.ts` has in TensorFlow's operations; see `adam-options.ts`.
 */
import type { AdamOptions } from "./adam-options.ts";

export const beta1 = 0.9;
export const beta2 = 0.999;
export const epsilon = 1e-7;
/** Keeps a gradient of nothing but zeros from dividing by zero. */
export const normFloor = 1e-12;

export interface AdamState {
  readonly value: Float32Array;
  readonly mean: Float32Array;
  readonly square: Float32Array;
  /** Numbers per row of the first axis. */
  readonly width: number;
  readonly decays: boolean;
}

export type Gradient =
  | { readonly kind: "dense"; readonly values: Float32Array }
  /** Each row once, in order of first touch; values [rows, width]. */
  | { readonly kind: "rows"; readonly rows: Int32Array; readonly values: Float32Array };

export interface Update {
  readonly state: AdamState;
  readonly gradient: Gradient;
}

/** The bias-corrected rate of the step, which counts from 0. */
export function correctedRate(rate: number, step: number): number {
  return (rate * Math.sqrt(1 - beta2 ** (step + 1))) / (1 - beta1 ** (step + 1));
}

export function adamStep(
  updates: readonly Update[],
  { dense = false, decay = 0, clip }: AdamOptions,
  rate: number,
  step: number,
): void {
  const share = clip === undefined ? 1 : clipShare(updates, clip);
  const alpha = correctedRate(rate, step);
  for (const { state, gradient } of updates) {
    const kept = state.decays ? 1 - rate * decay : 1;
    if (gradient.kind === "dense") {
      move(state, 0, gradient.values, 0, state.value.length, share, alpha, kept);
      continue;
    }
    const { width, value } = state;
    if (dense) {
      const whole = new Float32Array(value.length);
      for (const [index, row] of gradient.rows.entries())
        whole.set(gradient.values.subarray(index * width, (index + 1) * width), row * width);
      move(state, 0, whole, 0, value.length, share, alpha, kept);
    } else {
      for (const [index, row] of gradient.rows.entries())
        move(state, row * width, gradient.values, index * width, width, share, alpha, kept);
    }
  }
}

function move(
  { value, mean, square }: AdamState,
  from: number,
  gradients: Float32Array,
  gradientsFrom: number,
  count: number,
  share: number,
  alpha: number,
  kept: number,
): void {
  for (let index = 0; index < count; index++) {
    const at = from + index;
    const gradient = (gradients[gradientsFrom + index] ?? 0) * share;
    const m = beta1 * (mean[at] ?? 0) + (1 - beta1) * gradient;
    const v = beta2 * (square[at] ?? 0) + (1 - beta2) * gradient * gradient;
    mean[at] = m;
    square[at] = v;
    value[at] = kept * (value[at] ?? 0) - (alpha * m) / (Math.sqrt(v) + epsilon);
  }
}

function clipShare(updates: readonly Update[], clip: number): number {
  let squares = normFloor;
  for (const { gradient } of updates) for (const value of gradient.values) squares += value * value;
  return Math.min(1, clip / Math.sqrt(squares));
}

/** Gradients of rows that may come twice → each row once. */
export function addUpRows(ids: Int32Array, values: Float32Array): Gradient {
  const width = ids.length === 0 ? 0 : values.length / ids.length;
  const place = new Map<number, number>();
  const summed = new Float32Array(values.length);
  for (const [index, row] of ids.entries()) {
    let to = place.get(row);
    if (to === undefined) place.set(row, (to = place.size));
    for (let column = 0; column < width; column++)
      summed[to * width + column] =
        (summed[to * width + column] ?? 0) + (values[index * width + column] ?? 0);
  }
  return {
    kind: "rows",
    rows: Int32Array.from(place.keys()),
    values: summed.subarray(0, place.size * width),
  };
}
