/**
 * The pieces that models are made of, each as a small sum whose gradients are known. The known figures are
 * those of exact arithmetic to within rounding: a test takes them from differences of the sum itself.
 */
import type { Scalar, Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import type { TensorFlow } from "../../training/runtime/backend.ts";

export interface GradientCase {
  readonly name: string;
  /** Shapes of what it is differentiated by. */
  readonly inputs: readonly (readonly number[])[];
  readonly sum: (tf: TensorFlow, inputs: readonly Tensor[]) => Scalar;
  /** Of the sum, then of each input's gradient the size and the weighted sum, as `fingerprint` gives them. */
  readonly wanted: readonly number[];
}

const at = (inputs: readonly Tensor[], index: number): Tensor => {
  const found = inputs[index];
  if (found === undefined) throw new Error("a gradient case names an input that it does not have");
  return found;
};

export const gradientCases: readonly GradientCase[] = [
  {
    name: "gather",
    inputs: [[9, 4]],
    sum: (tf, inputs) => {
      const rows = tf.gather(at(inputs, 0), tf.tensor1d([0, 3, 3, 8, 1, 3], "int32"));
      return tf.sum(tf.mul(tf.square(rows), weightsLike(tf, rows)));
    },
    wanted: [-0.36104, 7.20155, -1.20444],
  },
  {
    name: "conv1d",
    inputs: [
      [2, 6, 3],
      [6, 4],
    ],
    sum: (tf, inputs) => {
      const x = at(inputs, 0);
      // Windows of two side by side, then one product: as the text CNN does it.
      const windows = tf.concat([tf.slice(x, [0, 0, 0], [2, 5, 3]), tf.slice(x, [0, 1, 0], [2, 5, 3])], 2);
      const product = tf.matMul(tf.reshape(windows, [10, 6]), at(inputs, 1));
      const over = tf.max(tf.relu(tf.reshape(product, [2, 5, 4])), 1);
      return tf.sum(tf.mul(over, weightsLike(tf, over)));
    },
    wanted: [0.93083, 10.00052, 0.52979, 8.86619, -1.36712],
  },
  {
    name: "gru step",
    inputs: [
      [3, 4],
      [3, 5],
      [9, 10],
      [9, 5],
    ],
    sum: (tf, inputs) => {
      const [x, h] = [at(inputs, 0), at(inputs, 1)];
      const gates = tf.sigmoid(tf.matMul(tf.concat([x, h], 1), at(inputs, 2)));
      const [update, reset] = tf.split(gates, 2, 1);
      if (update === undefined || reset === undefined) throw new Error("split gave no two parts");
      const candidate = tf.tanh(tf.matMul(tf.concat([x, tf.mul(reset, h)], 1), at(inputs, 3)));
      const next = tf.add(tf.mul(update, h), tf.mul(tf.sub(1, update), candidate));
      return tf.sum(tf.mul(next, weightsLike(tf, next)));
    },
    wanted: [-1.50547, 3.6376, -0.89074, 5.19097, 3.06443, 5.71811, -0.27654, 5.03962, 0.62131],
  },
  {
    name: "layer norm",
    inputs: [[3, 6], [6], [6]],
    sum: (tf, inputs) => {
      const x = at(inputs, 0);
      const centred = tf.sub(x, tf.mean(x, -1, true));
      const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-3));
      const normal = tf.add(tf.mul(tf.mul(centred, scale), at(inputs, 1)), at(inputs, 2));
      return tf.sum(tf.mul(normal, weightsLike(tf, normal)));
    },
    wanted: [3.49477, 4.35386, 0.86652, 9.54759, 0.29549, 3.6, 2.04],
  },
  {
    name: "attention",
    inputs: [
      [2, 4, 3],
      [2, 4, 3],
      [2, 4, 3],
    ],
    sum: (tf, inputs) => {
      const scores = tf.mul(tf.matMul(at(inputs, 0), at(inputs, 1), false, true), 1 / Math.sqrt(3));
      const read = tf.matMul(tf.softmax(scores), at(inputs, 2));
      return tf.sum(tf.mul(read, weightsLike(tf, read)));
    },
    wanted: [-0.36546, 1.82247, -1.13369, 1.04997, -0.15607, 10.6, 6.58342],
  },
  {
    name: "dropout",
    inputs: [[4, 5]],
    sum: (tf, inputs) => {
      const x = at(inputs, 0);
      const kept = tf.cast(tf.greater(weightsLike(tf, x), 0), "float32");
      return tf.sum(tf.square(tf.mul(x, tf.mul(kept, 2))));
    },
    wanted: [8.16091, 29.83476, -7.67668],
  },
  {
    name: "cross entropy",
    inputs: [[4, 3]],
    sum: (tf, inputs) => {
      const truth = tf.cast(tf.oneHot(tf.tensor1d([2, 0, 1, 1], "int32"), 3), "float32");
      return tf.neg(tf.sum(tf.mul(truth, tf.logSoftmax(at(inputs, 0) as Tensor2D))));
    },
    wanted: [4.33738, 5.18162, -1.1949],
  },
];

/** Different weights for the elements, so that an element in the wrong place is seen. */
export function weightOf(index: number): number {
  return (((index * 7) % 11) - 5) / 5;
}

function weightsLike(tf: TensorFlow, tensor: Tensor): Tensor {
  return tf.tensor(
    Float32Array.from({ length: tensor.size }, (_, index) => weightOf(index)),
    tensor.shape,
  );
}

/** Its size (the sum of absolute values) and its weighted sum. */
export function fingerprint(gradient: ArrayLike<number>): readonly [number, number] {
  let size = 0;
  let weighted = 0;
  for (let index = 0; index < gradient.length; index++) {
    const value = gradient[index] ?? Number.NaN;
    size += Math.abs(value);
    weighted += value * weightOf(index);
  }
  return [size, weighted];
}
