/**
 * A network's scoring graph, which is built for one batch and one length, in the operations that exports are written in and for any
 * batch. Training's nodes (losses, gradients, dropout masks) are not reached from a score.
 */
import { accept, refuse, type Outcome } from "../../../protocol/refusal.ts";
import { reachable } from "../../../training/network/differentiate.ts";
import { Graph } from "../../../training/network/graph.ts";
import { byKind, inputOf, type ByKind, type Node } from "../../../training/network/node.ts";
import { expect } from "../../../training/network/shape.ts";
import type { SavedNetwork } from "../../../training/task/task.ts";
import type { TensorData } from "../../../training/tensor/tensor-data.ts";
import { sliceEnd, type GraphOperation, type TensorGraphBuilder } from "./tensor-graph.ts";

/**
 * Stands for the batch in the shapes: a prime so large that every length it divides has the batch in it. Nothing of its size is
 * ever made.
 */
const anyBatch = 1_000_003;

interface Around {
  readonly graph: TensorGraphBuilder;
  readonly weight: (name: string) => TensorData;
  /** The value of the program's input. */
  readonly input: (name: string) => string;
  readonly of: (node: Node) => string;
}

/** Adds the network to `graph`; gives the name of its score. `inputs`: values by the names of the program's inputs. */
export function addNetwork(
  graph: TensorGraphBuilder,
  { build, length }: SavedNetwork,
  tensors: ReadonlyMap<string, TensorData>,
  inputs: Readonly<Record<string, string>>,
): Outcome<string> {
  const { score } = build(new Graph(), { batch: anyBatch, length });
  const needed = reachable([score], (node) =>
    node.operation.kind === "dropout" ? node.inputs.slice(0, 1) : node.inputs,
  );
  const missing = [...needed].find(
    ({ operation, shape }) => operation.kind === "weight" && !fits(tensors.get(operation.name), shape),
  );
  if (missing?.operation.kind === "weight")
    return refuse(
      "invalid",
      `the checkpoint's tensor ${missing.operation.name} does not fit this model; it is of other parameters or data`,
    );
  const values = new Map<Node, string>();
  const found = <Value>(value: Value | undefined, name: string): Value => {
    expect(value !== undefined, `${name} was read before it was there`);
    return value;
  };
  const around: Around = {
    graph,
    weight: (name) => found(tensors.get(name), name),
    input: (name) => found(inputs[name], name),
    of: (node) => found(values.get(node), node.operation.kind),
  };
  for (const node of [...needed].sort((a, b) => a.id - b.id))
    values.set(node, byKind(operations, node, around));
  return accept(around.of(score));
}

function fits(tensor: TensorData | undefined, shape: readonly number[]): boolean {
  const size = shape.reduce((product, length) => product * length, 1);
  return tensor?.data instanceof Float32Array && tensor.data.length === size;
}

const operations: ByKind<Around, string> = {
  input: ({ operation }, { input }) => input(operation.name),
  weight: ({ operation, shape }, { graph, weight }) =>
    graph.weight(operation.name, { shape, data: weight(operation.name).data }),
  // It broadcasts over the batch wherever it goes.
  constant: ({ operation, shape }, { graph }) => {
    const lengths = shape.map((length) => (hasBatch(length) ? 1 : length));
    const data = new Float32Array(lengths.reduce((product, length) => product * length, 1));
    data.fill(operation.value);
    return graph.weight(`constant.${operation.value}.${lengths.join("x")}`, { shape: lengths, data });
  },
  add: plainly({ op: "Add" }),
  sub: plainly({ op: "Sub" }),
  mul: plainly({ op: "Mul" }),
  div: plainly({ op: "Div" }),
  scale: (node, around) => by("Mul", node, node.operation.by, around),
  shift: (node, around) => by("Add", node, node.operation.by, around),
  relu: plainly({ op: "Relu" }),
  tanh: plainly({ op: "Tanh" }),
  sigmoid: plainly({ op: "Sigmoid" }),
  exp: plainly({ op: "Exp" }),
  log: plainly({ op: "Log" }),
  sqrt: plainly({ op: "Sqrt" }),
  rsqrt: (node, around) =>
    around.graph.node({ op: "Reciprocal" }, around.graph.node({ op: "Sqrt" }, of(node, 0, around))),
  square: (node, around) => around.graph.node({ op: "Mul" }, of(node, 0, around), of(node, 0, around)),
  positive: (node, around) => {
    const { graph } = around;
    const zero = graph.scalar(0, inputOf(node, 0).type === "int32" ? "int64" : "float32");
    return asFloat(graph.node({ op: "Greater" }, of(node, 0, around), zero), around);
  },
  equal: (node, around) =>
    asFloat(around.graph.node({ op: "Equal" }, of(node, 0, around), of(node, 1, around)), around),
  addN: (node, around) =>
    node.inputs.map((input) => around.of(input)).reduce((a, b) => around.graph.node({ op: "Add" }, a, b)),
  matmul: (node, around) => {
    const { transposeA, transposeB } = node.operation;
    const a = transposeA ? turned(node, 0, around) : of(node, 0, around);
    const b = transposeB ? turned(node, 1, around) : of(node, 1, around);
    return around.graph.node({ op: "MatMul" }, a, b);
  },
  softmax: plainly({ op: "Softmax" }),
  gather: plainly({ op: "Gather" }),
  reshape: (node, around) =>
    around.graph.node({ op: "Reshape", shape: freeShape(node.shape) }, of(node, 0, around)),
  transpose: (node, around) =>
    around.graph.node({ op: "Transpose", permutation: node.operation.permutation }, of(node, 0, around)),
  slice: (node, around) => cut(node, node.operation.begin, around),
  concat: (node, around) =>
    around.graph.node(
      { op: "Concat", axis: node.operation.axis },
      ...node.inputs.map((input) => around.of(input)),
    ),
  sum: (node, around) => reduced("ReduceSum", node, node.operation, around),
  mean: (node, around) => reduced("ReduceMean", node, node.operation, around),
  max: (node, around) => reduced("ReduceMax", node, node.operation, around),
  unfold: (node, around) => unfolded(inputOf(node, 0), node.operation.size, around),
  windowMax: (node, around) => {
    const windows = unfolded(inputOf(node, 0), node.operation.size, around);
    const scores = around.graph.node({ op: "MatMul" }, windows, of(node, 1, around));
    return around.graph.node({ op: "ReduceMax", axes: [1], keepAxes: false }, scores);
  },
  dropout: (node, around) => of(node, 0, around),
  broadcast: notScored,
  pad: notScored,
  fold: notScored,
  segmentSum: notScored,
  reluGradient: notScored,
  tanhGradient: notScored,
  sigmoidGradient: notScored,
  windowMaxRowGradient: notScored,
  windowMaxKernelGradient: notScored,
  dropoutMask: notScored,
  crossEntropy: notScored,
  crossEntropyGradient: notScored,
};

function notScored({ operation }: Node): never {
  throw new Error(`network graph: no model's score has a node of kind ${operation.kind}`);
}

function plainly(operation: GraphOperation): (node: Node, around: Around) => string {
  return (node, around) => around.graph.node(operation, ...node.inputs.map((input) => around.of(input)));
}

function of(node: Node, index: number, around: Around): string {
  return around.of(inputOf(node, index));
}

function by(op: "Mul" | "Add", node: Node, value: number, around: Around): string {
  return around.graph.node({ op }, of(node, 0, around), around.graph.scalar(value));
}

function asFloat(value: string, { graph }: Around): string {
  return graph.node({ op: "Cast", to: "float32" }, value);
}

/** An input with its last two axes exchanged. */
function turned(node: Node, index: number, around: Around): string {
  const { length } = inputOf(node, index).shape;
  const permutation = Array.from({ length }, (_, axis) => axis);
  permutation.splice(length - 2, 2, length - 1, length - 2);
  return around.graph.node({ op: "Transpose", permutation }, of(node, index, around));
}

function hasBatch(length: number): boolean {
  return length % anyBatch === 0;
}

function freeShape(shape: readonly number[]): readonly number[] {
  return shape.map((length) => (hasBatch(length) ? -1 : length));
}

function cut(node: Node, begin: readonly number[], around: Around): string {
  const whole = inputOf(node, 0).shape;
  const axes = [...whole.keys()].filter((axis) => node.shape[axis] !== whole[axis]);
  const starts = axes.map((axis) => begin[axis] ?? 0);
  const ends = axes.map((axis) => (begin[axis] ?? 0) + (node.shape[axis] ?? 0));
  return around.graph.node({ op: "Slice", axes, starts, ends }, of(node, 0, around));
}

function reduced(
  op: "ReduceSum" | "ReduceMean" | "ReduceMax",
  node: Node,
  { axes, keepAxes }: { readonly axes: readonly number[]; readonly keepAxes: boolean },
  around: Around,
): string {
  return around.graph.node({ op, axes, keepAxes }, of(node, 0, around));
}

/** Each window's rows side by side. */
function unfolded(x: Node, size: number, around: Around): string {
  const [, length = 0] = x.shape;
  const parts = Array.from({ length: size }, (_, from) => {
    const to = from === size - 1 ? sliceEnd : length - size + 1 + from;
    return around.graph.node({ op: "Slice", axes: [1], starts: [from], ends: [to] }, around.of(x));
  });
  return size === 1 ? (parts[0] ?? "") : around.graph.node({ op: "Concat", axis: 2 }, ...parts);
}
