/**
 * One window of a text CNN, fused: embedding rows side by side, a matrix product, the maximum over time.
 * The product runs on the backend. The gradient only flows through each filter's best position, so it is
 * added up directly there instead of through two dense products some 25 times larger; of equal positions
 * the first takes it all, as in cuDNN and XLA.
 */
import { valuesOf, type TensorFlow } from "../runtime/backend.ts";

export interface WindowShape {
  /** Texts in the batch. */
  readonly batch: number;
  /** Tokens per text. */
  readonly length: number;
  /** Tokens per window. */
  readonly size: number;
  /** Width of an embedding. */
  readonly width: number;
  readonly filters: number;
}

export interface ConvMax {
  /** [batch, filters]: the best score of each filter. */
  readonly top: Float32Array;
  /**
   * Adds the gradients for `pull` [batch, filters] to those of the table and of the kernel.
   */
  addGradients(pull: Float32Array, dTable: Float32Array, dKernel: Float32Array): void;
}

/** tokens [batch, length], table [vocabulary, width], kernel [size * width, filters]. */
export function convMax(
  tf: TensorFlow,
  tokens: Int32Array,
  table: Float32Array,
  kernel: Float32Array,
  shape: WindowShape,
): ConvMax {
  const { batch, length, size, width, filters } = shape;
  const positions = length - size + 1;
  const span = size * width;
  const unfolded = unfold(tokens, table, shape);
  const best = new Int32Array(batch * filters);
  const top = new Float32Array(batch * filters);
  const scores = valuesOf(tf, () =>
    tf.matMul(tf.tensor2d(unfolded, [batch * positions, span]), tf.tensor2d(kernel, [span, filters])),
  );
  maxOverTime(scores, batch, positions, filters, top, best);
  return {
    top,
    addGradients: (pull, dTable, dKernel) => {
      for (let text = 0; text < batch; text++) {
        for (let f = 0; f < filters; f++) {
          const slope = pull[text * filters + f] ?? 0;
          if (slope === 0) continue;
          const position = best[text * filters + f] ?? 0;
          const from = (text * positions + position) * span;
          for (let k = 0; k < size; k++) {
            const row = (tokens[text * length + position + k] ?? 0) * width;
            for (let d = 0; d < width; d++) {
              const at = k * width + d;
              const cell = at * filters + f;
              dKernel[cell] = (dKernel[cell] ?? 0) + slope * (unfolded[from + at] ?? 0);
              dTable[row + d] = (dTable[row + d] ?? 0) + slope * (kernel[cell] ?? 0);
            }
          }
        }
      }
    },
  };
}

/** Every window's embeddings side by side: [batch * positions, size * width]. */
function unfold(
  tokens: Int32Array,
  table: Float32Array,
  { batch, length, size, width }: WindowShape,
): Float32Array {
  const positions = length - size + 1;
  const out = new Float32Array(batch * positions * size * width);
  let to = 0;
  for (let text = 0; text < batch; text++) {
    for (let position = 0; position < positions; position++) {
      for (let k = 0; k < size; k++) {
        const from = (tokens[text * length + position + k] ?? 0) * width;
        for (let d = 0; d < width; d++) out[to++] = table[from + d] ?? 0;
      }
    }
  }
  return out;
}

function maxOverTime(
  scores: Float32Array,
  batch: number,
  positions: number,
  filters: number,
  top: Float32Array,
  best: Int32Array,
): void {
  top.fill(-Infinity);
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
}
