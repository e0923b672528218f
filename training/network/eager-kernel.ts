/**
 * Computes one node with TensorFlow.js's own operations, on any backend. Tables are gathered from in place,
 * without a copy of the whole table. It keeps nothing between nodes; `eager-engine.ts` walks the graph.
 */
import type { Rank, Tensor } from "@tensorflow/tfjs-core";
import type { TensorFlow } from "../runtime/backend.ts";
import { stream } from "../tensor/seeded-stream.ts";
import { kernelGradient, rowGradient, windowMax, type WindowMax } from "./eager-window-max.ts";
import { byKind, inputOf, type ByKind, type Node, type OperationOf } from "./node.ts";
import { expect } from "./shape.ts";

export interface Surroundings {
  readonly tf: TensorFlow;
  readonly seed: number;
  /** Null in scoring, where dropout does nothing. */
  readonly step: number | null;
  /** The value of an input of the node. */
  readonly valueOf: (node: Node) => Tensor;
  /** What a way there leaves for its way back, beside its output. */
  readonly kept: Map<Node, WindowMax>;
  readonly weight: (name: string) => Float32Array;
  readonly input: (name: string) => Float32Array | Int32Array;
}

/** Computes one node. */
export function compute(node: Node, around: Surroundings): Tensor {
  return byKind(kernels, node, around);
}

const kernels: ByKind<Surroundings, Tensor> = {
  input: ({ operation, shape, type }, { input, tf }) => tf.tensor(input(operation.name), [...shape], type),
  weight: ({ operation, shape }, { tf, weight }) => tf.tensor(weight(operation.name), [...shape]),
  constant: ({ operation, shape }, { tf }) => tf.fill([...shape], operation.value),
  add: (node, around) => around.tf.add(of(node, 0, around), of(node, 1, around)),
  sub: (node, around) => around.tf.sub(of(node, 0, around), of(node, 1, around)),
  mul: (node, around) => around.tf.mul(of(node, 0, around), of(node, 1, around)),
  div: (node, around) => around.tf.div(of(node, 0, around), of(node, 1, around)),
  scale: (node, around) => around.tf.mul(of(node, 0, around), node.operation.by),
  shift: (node, around) => around.tf.add(of(node, 0, around), node.operation.by),
  relu: (node, around) => around.tf.relu(of(node, 0, around)),
  tanh: (node, around) => around.tf.tanh(of(node, 0, around)),
  sigmoid: (node, around) => around.tf.sigmoid(of(node, 0, around)),
  exp: (node, around) => around.tf.exp(of(node, 0, around)),
  log: (node, around) => around.tf.log(of(node, 0, around)),
  sqrt: (node, around) => around.tf.sqrt(of(node, 0, around)),
  rsqrt: (node, around) => around.tf.rsqrt(of(node, 0, around)),
  square: (node, around) => around.tf.square(of(node, 0, around)),
  reluGradient: (node, around) => {
    const { tf } = around;
    return tf.mul(of(node, 1, around), tf.cast(tf.greater(of(node, 0, around), 0), "float32"));
  },
  tanhGradient: (node, around) => {
    const { tf } = around;
    return tf.mul(of(node, 1, around), tf.sub(1, tf.square(of(node, 0, around))));
  },
  sigmoidGradient: (node, around) => {
    const { tf } = around;
    const output = of(node, 0, around);
    return tf.mul(of(node, 1, around), tf.mul(output, tf.sub(1, output)));
  },
  positive: (node, around) => {
    const { tf } = around;
    const zero = tf.scalar(0, inputOf(node, 0).type);
    return tf.cast(tf.greater(of(node, 0, around), zero), "float32");
  },
  equal: (node, around) =>
    around.tf.cast(around.tf.equal(of(node, 0, around), of(node, 1, around)), "float32"),
  addN: (node, around) => around.tf.addN(allOf(node, around)),
  matmul: (node, around) => {
    const { transposeA, transposeB } = node.operation;
    return around.tf.matMul(of(node, 0, around), of(node, 1, around), transposeA, transposeB);
  },
  softmax: (node, around) => around.tf.softmax(of(node, 0, around)),
  gather,
  segmentSum: (node, around) =>
    around.tf.unsortedSegmentSum(
      around.tf.reshape(of(node, 0, around), [-1, ...node.shape.slice(1)]),
      around.tf.reshape<Rank.R1>(of(node, 1, around), [-1]),
      node.operation.rows,
    ),
  reshape: (node, around) => around.tf.reshape(of(node, 0, around), [...node.shape]),
  transpose: (node, around) => around.tf.transpose(of(node, 0, around), [...node.operation.permutation]),
  slice: (node, around) => around.tf.slice(of(node, 0, around), [...node.operation.begin], [...node.shape]),
  pad: (node, around) => pad(around.tf, of(node, 0, around), node.operation.before, node.shape),
  broadcast: (node, around) => around.tf.broadcastTo(of(node, 0, around), [...node.shape]),
  concat: (node, around) => around.tf.concat(allOf(node, around), node.operation.axis),
  sum: (node, around) =>
    around.tf.sum(of(node, 0, around), [...node.operation.axes], node.operation.keepAxes),
  mean: (node, around) =>
    around.tf.mean(of(node, 0, around), [...node.operation.axes], node.operation.keepAxes),
  max: (node, around) =>
    around.tf.max(of(node, 0, around), [...node.operation.axes], node.operation.keepAxes),
  unfold,
  fold,
  windowMax: bestWindows,
  windowMaxRowGradient: (node, around) => windowGradient(node, around, rowGradient),
  windowMaxKernelGradient: (node, around) => windowGradient(node, around, kernelGradient),
  dropoutMask,
  dropout: (node, around) =>
    around.step === null ? of(node, 0, around) : around.tf.mul(of(node, 0, around), of(node, 1, around)),
  crossEntropy: (node, around) => {
    const { tf } = around;
    const logits = of(node, 0, around);
    const weights = of(node, 2, around);
    const likelihood = tf.sum(tf.mul(tf.logSoftmax(logits), oneHot(tf, node, of(node, 1, around))), 1);
    return tf.neg(tf.div(tf.sum(tf.mul(likelihood, weights)), tf.sum(weights)));
  },
  crossEntropyGradient: (node, around) => {
    const { tf } = around;
    const weights = of(node, 2, around);
    const off = tf.sub(tf.softmax(of(node, 0, around)), oneHot(tf, node, of(node, 1, around)));
    return tf.mul(off, tf.expandDims(tf.div(weights, tf.sum(weights)), 1));
  },
};

/** The value of a node's input. */
function of(node: Node, index: number, around: Surroundings): Tensor {
  return around.valueOf(inputOf(node, index));
}

function allOf(node: Node, around: Surroundings): Tensor[] {
  return node.inputs.map((part) => around.valueOf(part));
}

function unfold(node: Node<OperationOf<"unfold">>, around: Surroundings): Tensor {
  const { tf } = around;
  const [batch = 0, positions = 0] = node.shape;
  const width = inputOf(node, 0).shape[2] ?? 0;
  const x = of(node, 0, around);
  const shifts = Array.from({ length: node.operation.size }, (_, from) =>
    tf.slice(x, [0, from, 0], [batch, positions, width]),
  );
  return tf.concat(shifts, 2);
}

function fold(node: Node<OperationOf<"fold">>, around: Surroundings): Tensor {
  const { tf } = around;
  const { shape } = node;
  const [, , width = 0] = shape;
  const [batch = 0, positions = 0] = inputOf(node, 0).shape;
  const gradient = of(node, 0, around);
  const parts = Array.from({ length: node.operation.size }, (_, from) =>
    pad(tf, tf.slice(gradient, [0, 0, from * width], [batch, positions, width]), [0, from, 0], shape),
  );
  return tf.addN(parts);
}

function bestWindows(node: Node<OperationOf<"windowMax">>, around: Surroundings): Tensor {
  const { tf } = around;
  const [batch = 0, length = 0, width = 0] = inputOf(node, 0).shape;
  const [, filters = 0] = node.shape;
  const rows = of(node, 0, around).dataSync<"float32">();
  const kernel = of(node, 1, around).dataSync<"float32">();
  const { size } = node.operation;
  const kept = windowMax(tf, rows, kernel, { batch, length, size, width, filters });
  around.kept.set(node, kept);
  return tf.tensor(kept.top, [...node.shape]);
}

function windowGradient(
  node: Node,
  around: Surroundings,
  back: (kept: WindowMax, gradient: Float32Array) => Float32Array,
): Tensor {
  const kept = around.kept.get(inputOf(node, 0));
  expect(kept !== undefined, "a way back came before its way there");
  return around.tf.tensor(back(kept, of(node, 1, around).dataSync<"float32">()), [...node.shape]);
}

function dropoutMask(node: Node<OperationOf<"dropoutMask">>, { seed, step, tf }: Surroundings): Tensor {
  expect(step !== null, "scoring read a dropout mask");
  const { share, name } = node.operation;
  const random = stream(seed, `dropout/${name}`, step);
  const mask = new Float32Array(node.shape.reduce((product, length) => product * length, 1));
  for (let at = 0; at < mask.length; at++) mask[at] = random.next() < share ? 0 : 1 / (1 - share);
  return tf.tensor(mask, [...node.shape]);
}

function gather(node: Node, around: Surroundings): Tensor {
  const { tf } = around;
  const table = inputOf(node, 0);
  const ids = around.valueOf(inputOf(node, 1));
  if (table.operation.kind !== "weight") return tf.gather(around.valueOf(table), ids);
  const from = around.weight(table.operation.name);
  const [rows = 0, ...slice] = table.shape;
  const width = slice.reduce((product, length) => product * length, 1);
  const at = ids.dataSync<"int32">();
  const out = new Float32Array(at.length * width);
  for (let index = 0; index < at.length; index++) {
    const row = at[index] ?? 0;
    if (row < 0 || row >= rows)
      throw new Error(`row ${row} is not among the ${rows} of table ${table.operation.name}`);
    out.set(from.subarray(row * width, (row + 1) * width), index * width);
  }
  return tf.tensor(out, [...node.shape]);
}

function pad(tf: TensorFlow, x: Tensor, before: readonly number[], shape: readonly number[]): Tensor {
  const around = shape.map((length, axis): [number, number] => {
    const first = before[axis] ?? 0;
    return [first, length - first - (x.shape[axis] ?? 0)];
  });
  return tf.pad(x, around);
}

/** labels of the node's logits [batch, labels] → float32 [batch, labels]. */
function oneHot(tf: TensorFlow, node: Node, labels: Tensor): Tensor {
  const [, count = 0] = inputOf(node, 0).shape;
  return tf.cast(tf.oneHot(labels, count), "float32");
}
