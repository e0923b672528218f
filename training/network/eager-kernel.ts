/**
 * Computes one node with TensorFlow.js's own operations, on any backend. Tables are gathered from in place,
 * without a copy of the whole table. It keeps nothing between nodes; `eager-engine.ts` walks the graph.
 */
import type { Rank, Tensor } from "@tensorflow/tfjs-core";
import type { TensorFlow } from "../runtime/backend.ts";
import { stream } from "../tensor/seeded-stream.ts";
import { kernelGradient, rowGradient, windowMax, type WindowMax } from "./eager-window-max.ts";
import { inputOf, type Node } from "./node.ts";
import { expect } from "./shape.ts";

export interface Surroundings {
  readonly tf: TensorFlow;
  readonly seed: number;
  /** Null in scoring, where dropout does nothing. */
  readonly step: number | null;
  /** The value of an input of the node. */
  valueOf(node: Node): Tensor;
  /** What a way there leaves for its way back, beside its output. */
  readonly kept: Map<Node, WindowMax>;
  weight(name: string): Float32Array;
  input(name: string): Float32Array | Int32Array;
}

export function compute(node: Node, around: Surroundings): Tensor {
  const { tf } = around;
  const { operation, shape } = node;
  const input = (index: number): Tensor => around.valueOf(inputOf(node, index));
  const dims = [...shape];
  switch (operation.kind) {
    case "input":
      return tf.tensor(around.input(operation.name), dims, node.type);
    case "weight":
      return tf.tensor(around.weight(operation.name), dims);
    case "constant":
      return tf.fill(dims, operation.value);
    case "add":
      return tf.add(input(0), input(1));
    case "sub":
      return tf.sub(input(0), input(1));
    case "mul":
      return tf.mul(input(0), input(1));
    case "div":
      return tf.div(input(0), input(1));
    case "scale":
      return tf.mul(input(0), operation.by);
    case "shift":
      return tf.add(input(0), operation.by);
    case "relu":
      return tf.relu(input(0));
    case "tanh":
      return tf.tanh(input(0));
    case "sigmoid":
      return tf.sigmoid(input(0));
    case "exp":
      return tf.exp(input(0));
    case "log":
      return tf.log(input(0));
    case "sqrt":
      return tf.sqrt(input(0));
    case "rsqrt":
      return tf.rsqrt(input(0));
    case "square":
      return tf.square(input(0));
    case "reluGradient":
      return tf.mul(input(1), tf.cast(tf.greater(input(0), 0), "float32"));
    case "tanhGradient":
      return tf.mul(input(1), tf.sub(1, tf.square(input(0))));
    case "sigmoidGradient":
      return tf.mul(input(1), tf.mul(input(0), tf.sub(1, input(0))));
    case "positive":
      return tf.cast(tf.greater(input(0), tf.scalar(0, inputOf(node, 0).type)), "float32");
    case "equal":
      return tf.cast(tf.equal(input(0), input(1)), "float32");
    case "addN":
      return tf.addN(node.inputs.map((part) => around.valueOf(part)));
    case "matmul":
      return tf.matMul(input(0), input(1), operation.transposeA, operation.transposeB);
    case "softmax":
      return tf.softmax(input(0));
    case "gather":
      return gather(node, around);
    case "segmentSum":
      return tf.unsortedSegmentSum(
        tf.reshape(input(0), [-1, ...dims.slice(1)]),
        tf.reshape<Rank.R1>(input(1), [-1]),
        operation.rows,
      );
    case "reshape":
      return tf.reshape(input(0), dims);
    case "transpose":
      return tf.transpose(input(0), [...operation.permutation]);
    case "slice":
      return tf.slice(input(0), [...operation.begin], dims);
    case "pad":
      return pad(tf, input(0), operation.before, shape);
    case "broadcast":
      return tf.broadcastTo(input(0), dims);
    case "concat":
      return tf.concat(
        node.inputs.map((part) => around.valueOf(part)),
        operation.axis,
      );
    case "sum":
      return tf.sum(input(0), [...operation.axes], operation.keepAxes);
    case "mean":
      return tf.mean(input(0), [...operation.axes], operation.keepAxes);
    case "max":
      return tf.max(input(0), [...operation.axes], operation.keepAxes);
    case "unfold": {
      const [batch = 0, positions = 0] = shape;
      const width = inputOf(node, 0).shape[2] ?? 0;
      const x = input(0);
      const shifts = Array.from({ length: operation.size }, (_, from) =>
        tf.slice(x, [0, from, 0], [batch, positions, width]),
      );
      return tf.concat(shifts, 2);
    }
    case "fold": {
      const [, , width = 0] = shape;
      const [batch = 0, positions = 0] = inputOf(node, 0).shape;
      const gradient = input(0);
      const parts = Array.from({ length: operation.size }, (_, from) =>
        pad(tf, tf.slice(gradient, [0, 0, from * width], [batch, positions, width]), [0, from, 0], shape),
      );
      return tf.addN(parts);
    }
    case "windowMax": {
      const [batch = 0, length = 0, width = 0] = inputOf(node, 0).shape;
      const [, filters = 0] = shape;
      const kept = windowMax(tf, input(0).dataSync<"float32">(), input(1).dataSync<"float32">(), {
        batch,
        length,
        size: operation.size,
        width,
        filters,
      });
      around.kept.set(node, kept);
      return tf.tensor(kept.top, dims);
    }
    case "windowMaxRowGradient":
    case "windowMaxKernelGradient": {
      const kept = around.kept.get(inputOf(node, 0));
      expect(kept !== undefined, "a way back came before its way there");
      const gradient = input(1).dataSync<"float32">();
      const back = operation.kind === "windowMaxRowGradient" ? rowGradient : kernelGradient;
      return tf.tensor(back(kept, gradient), dims);
    }
    case "dropoutMask": {
      expect(around.step !== null, "scoring read a dropout mask");
      const { share, name } = operation;
      const random = stream(around.seed, `dropout/${name}`, around.step);
      const mask = new Float32Array(dims.reduce((product, length) => product * length, 1));
      for (let at = 0; at < mask.length; at++) mask[at] = random.next() < share ? 0 : 1 / (1 - share);
      return tf.tensor(mask, dims);
    }
    case "dropout":
      return around.step === null ? input(0) : tf.mul(input(0), input(1));
    case "crossEntropy": {
      const likelihood = tf.sum(tf.mul(tf.logSoftmax(input(0)), oneHot(tf, node, input(1))), 1);
      return tf.neg(tf.div(tf.sum(tf.mul(likelihood, input(2))), tf.sum(input(2))));
    }
    case "crossEntropyGradient": {
      const off = tf.sub(tf.softmax(input(0)), oneHot(tf, node, input(1)));
      return tf.mul(off, tf.expandDims(tf.div(input(2), tf.sum(input(2))), 1));
    }
  }
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
