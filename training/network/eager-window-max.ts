/**
 * `windowMax` on typed arrays: every window's rows side by side, a matrix product on the backend, the maximum
 * over time. Its way back only flows through each filter's best position, so it is added up directly there
 * instead of through two dense products some 25 times larger; of equal positions the first takes it all.
 */
import { valuesOf, type TensorFlow } from "../runtime/backend.ts";

export interface WindowShape {
  /** Texts in the batch. */
  readonly batch: number;
  /** Rows per text. */
  readonly length: number;
  /** Rows per window. */
  readonly size: number;
  /** Numbers per row. */
  readonly width: number;
  readonly filters: number;
}

/** What the way back needs of the way there. */
export interface WindowMax {
  readonly shape: WindowShape;
  /** [batch * positions, size * width] */
  readonly unfolded: Float32Array;
  readonly kernel: Float32Array;
  /** [batch, filters]: the position of each filter's best score, and that score. */
  readonly best: Int32Array;
  readonly top: Float32Array;
}

/** x [batch, length, width], kernel [size * width, filters]. */
export function windowMax(
  tf: TensorFlow,
  x: Float32Array,
  kernel: Float32Array,
  shape: WindowShape,
): WindowMax {
  const { batch, length, size, width, filters } = shape;
  const positions = length - size + 1;
  const span = size * width;
  const unfolded = new Float32Array(batch * positions * span);
  for (let text = 0; text < batch; text++) {
    for (let position = 0; position < positions; position++) {
      const from = (text * length + position) * width;
      unfolded.set(x.subarray(from, from + span), (text * positions + position) * span);
    }
  }
  const scores = valuesOf(tf, () =>
    tf.matMul(tf.tensor2d(unfolded, [batch * positions, span]), tf.tensor2d(kernel, [span, filters])),
  );
  const best = new Int32Array(batch * filters);
  const top = new Float32Array(batch * filters).fill(-Infinity);
  for (let text = 0; text < batch; text++) {
    const to = text * filters;
    for (let position = 0; position < positions; position++) {
      const from = (text * positions + position) * filters;
      for (let f = 0; f < filters; f++) {
        const score = scores[from + f] ?? 0;
        if (score > (top[to + f] ?? 0)) {
          top[to + f] = score;
          best[to + f] = position;
        }
      }
    }
  }
  return { shape, unfolded, kernel, best, top };
}

/** gradient [batch, filters] → the gradient by the kernel [size * width, filters]. */
export function kernelGradient({ shape, unfolded, best }: WindowMax, gradient: Float32Array): Float32Array {
  const { length, size, width, filters } = shape;
  const positions = length - size + 1;
  const span = size * width;
  // Turned, so that a filter's numbers lie side by side.
  const turned = new Float32Array(filters * span);
  for (let at = 0; at < gradient.length; at++) {
    const pull = gradient[at] ?? 0;
    if (pull === 0) continue;
    const text = Math.floor(at / filters);
    const from = (text * positions + (best[at] ?? 0)) * span;
    const to = (at % filters) * span;
    for (let index = 0; index < span; index++)
      turned[to + index] = (turned[to + index] ?? 0) + pull * (unfolded[from + index] ?? 0);
  }
  return transposed(turned, filters, span);
}

/** gradient [batch, filters] → the gradient by x [batch, length, width]. */
export function rowGradient({ shape, kernel, best }: WindowMax, gradient: Float32Array): Float32Array {
  const { batch, length, size, width, filters } = shape;
  const span = size * width;
  const turned = transposed(kernel, span, filters);
  const out = new Float32Array(batch * length * width);
  for (let at = 0; at < gradient.length; at++) {
    const pull = gradient[at] ?? 0;
    if (pull === 0) continue;
    const text = Math.floor(at / filters);
    const from = (at % filters) * span;
    const to = (text * length + (best[at] ?? 0)) * width;
    for (let index = 0; index < span; index++)
      out[to + index] = (out[to + index] ?? 0) + pull * (turned[from + index] ?? 0);
  }
  return out;
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      out[column * rows + row] = values[row * columns + column] ?? 0;
  return out;
}
