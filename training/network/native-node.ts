/**
 * The TensorFlow operation of each kind of node; fused operations are taken where TensorFlow has them. What is emitted when,
 * and how often, is the emitter's.
 */
import { mix } from "../../numeric/mix.ts";
import { inputOf, type ByKind, type Node, type OperationOf } from "./node.ts";
import {
  addN,
  concat,
  float,
  fold,
  int,
  matmul,
  pad,
  reshape,
  slice,
  toFloat,
  total,
  unfold,
} from "./native-op.ts";
import type { NativeWindowMax } from "./native-window-max.ts";
import type { Attribute, TensorFlowGraph } from "./tensorflow-graph.ts";
import { expect } from "./shape.ts";

/** What stands around a node that is emitted. */
export interface EmitAround {
  readonly graph: TensorFlowGraph;
  /** Placeholders of the seed and the step, int32 [1]; null in scoring, where dropout does nothing. */
  readonly random: { readonly seed: string; readonly step: string } | null;
  readonly variable: (weight: string) => string;
  readonly placeholder: (node: Node) => string;
  /** The name of a node's output; emits it where it is not yet. */
  readonly of: (node: Node) => string;
  readonly isEmitted: (node: Node) => boolean;
  /** Notes that an operation reads a weight, and gives its name back. */
  readonly noteRead: (weight: string, op: string) => string;
  readonly windowMax: NativeWindowMax;
  /** Log losses by what they are of: one operation for both ways. */
  readonly losses: Map<string, string>;
}

type More = Readonly<Record<string, Attribute>>;

const nhwc: More = { data_format: { text: "NHWC" } };

export const emitters: ByKind<EmitAround, string> = {
  input: (node, { placeholder }) => placeholder(node),
  weight: ({ operation }, { graph, noteRead, variable }) =>
    noteRead(operation.name, graph.op("ReadVariableOp", [variable(operation.name)], { dtype: float })),
  constant: ({ operation, shape }, { graph }) =>
    shape.length === 0
      ? graph.scalar(operation.value)
      : graph.op("Fill", [graph.indices(shape), graph.scalar(operation.value)], {
          T: float,
          index_type: int,
        }),
  add: (node, around) =>
    biasLike(node)
      ? op(around, "BiasAdd", allOf(node, around), nhwc)
      : op(around, "AddV2", allOf(node, around)),
  sub: plain("Sub"),
  mul: plain("Mul"),
  dropout: (node, around) =>
    around.random === null ? at(node, 0, around) : op(around, "Mul", allOf(node, around)),
  div: plain("RealDiv"),
  scale: (node, around) => op(around, "Mul", [at(node, 0, around), around.graph.scalar(node.operation.by)]),
  shift: (node, around) => op(around, "AddV2", [at(node, 0, around), around.graph.scalar(node.operation.by)]),
  relu: plain("Relu"),
  tanh: plain("Tanh"),
  sigmoid: plain("Sigmoid"),
  exp: plain("Exp"),
  log: plain("Log"),
  sqrt: plain("Sqrt"),
  rsqrt: plain("Rsqrt"),
  square: plain("Square"),
  reluGradient: (node, around) => op(around, "ReluGrad", [at(node, 1, around), at(node, 0, around)]),
  tanhGradient: plain("TanhGrad"),
  sigmoidGradient: plain("SigmoidGrad"),
  positive,
  equal,
  addN: (node, around) => addN(around.graph, allOf(node, around)),
  matmul: (node, around) => {
    const { transposeA: turnA, transposeB: turnB } = node.operation;
    return node.shape.length === 2
      ? matmul(around.graph, at(node, 0, around), at(node, 1, around), { turnA, turnB })
      : op(around, "BatchMatMulV2", allOf(node, around), { adj_x: { flag: turnA }, adj_y: { flag: turnB } });
  },
  softmax: plain("Softmax"),
  gather,
  segmentSum: (node, around) =>
    op(around, "UnsortedSegmentSum", [...allOf(node, around), around.graph.index(node.operation.rows)], {
      Tindices: int,
      Tnumsegments: int,
    }),
  reshape: (node, around) => reshape(around.graph, at(node, 0, around), node.shape, typeOf(node)),
  transpose: (node, around) =>
    op(around, "Transpose", [at(node, 0, around), around.graph.indices(node.operation.permutation)], {
      T: typeOf(node),
      Tperm: int,
    }),
  slice: (node, around) =>
    slice(around.graph, at(node, 0, around), node.operation.begin, node.shape, typeOf(node)),
  pad: (node, around) =>
    pad(around.graph, at(node, 0, around), node.operation.before, inputOf(node, 0).shape, node.shape),
  broadcast: (node, around) =>
    op(around, "BroadcastTo", [at(node, 0, around), around.graph.indices(node.shape)], { Tidx: int }),
  concat: (node, around) => concat(around.graph, allOf(node, around), node.operation.axis, typeOf(node)),
  sum: reduce,
  mean: reduce,
  max: reduce,
  unfold: (node, around) =>
    unfold(around.graph, at(node, 0, around), inputOf(node, 0).shape, node.operation.size),
  fold: (node, around) =>
    fold(around.graph, at(node, 0, around), inputOf(node, 0).shape, node.shape, node.operation.size),
  windowMax: (node, around) =>
    around.windowMax.forward(node, at(node, 0, around), at(node, 1, around), node.operation.size),
  windowMaxRowGradient: (node, around) => {
    const there = inputOf(node, 0);
    around.of(there);
    return around.windowMax.rowGradient(there, at(node, 1, around), at(there, 1, around));
  },
  windowMaxKernelGradient: (node, around) => {
    const there = inputOf(node, 0);
    around.of(there);
    return around.windowMax.kernelGradient(there, at(node, 1, around));
  },
  dropoutMask,
  crossEntropy: (node, around) => {
    const weighted = op(around, "Mul", [logLoss(node, around), at(node, 2, around)]);
    return op(around, "RealDiv", [total(around.graph, weighted), total(around.graph, at(node, 2, around))]);
  },
  crossEntropyGradient: (node, around) => {
    const batch = inputOf(node, 2).shape[0] ?? 0;
    const weights = at(node, 2, around);
    const shares = op(around, "RealDiv", [weights, total(around.graph, weights)]);
    const column = reshape(around.graph, shares, [batch, 1]);
    return op(around, "Mul", [`${logLoss(node, around)}:1`, column]);
  },
};

function op(around: EmitAround, kind: string, inputs: readonly string[], more: More = {}): string {
  return around.graph.op(kind, inputs, { T: float, ...more });
}

/** An operation of all the node's inputs, in their order. */
function plain(kind: string): (node: Node, around: EmitAround) => string {
  return (node, around) => op(around, kind, allOf(node, around));
}

/** The name of a node's input. */
function at(node: Node, index: number, around: EmitAround): string {
  return around.of(inputOf(node, index));
}

function allOf(node: Node, around: EmitAround): readonly string[] {
  return node.inputs.map((part) => around.of(part));
}

function typeOf({ type }: Node): Attribute {
  return type === "int32" ? int : float;
}

function positive(node: Node, around: EmitAround): string {
  const { graph } = around;
  const whole = inputOf(node, 0).type === "int32";
  const above = graph.op("Greater", [at(node, 0, around), whole ? graph.index(0) : graph.scalar(0)], {
    T: whole ? int : float,
  });
  return toFloat(graph, above);
}

function equal(node: Node, around: EmitAround): string {
  const same = around.graph.op("Equal", allOf(node, around), {
    T: typeOf(inputOf(node, 0)),
    incompatible_shape_error: { flag: true },
  });
  return toFloat(around.graph, same);
}

/** Of a table that nothing else reads whole, rows are read in place. */
function gather(node: Node, around: EmitAround): string {
  const { graph, isEmitted, noteRead, variable } = around;
  const table = inputOf(node, 0);
  if (table.operation.kind === "weight" && !isEmitted(table)) {
    const { name } = table.operation;
    const rows = graph.op("ResourceGather", [variable(name), at(node, 1, around)], {
      dtype: float,
      Tindices: int,
      validate_indices: { flag: true },
      batch_dims: { int: 0 },
    });
    return noteRead(name, rows);
  }
  return graph.op("GatherV2", [...allOf(node, around), graph.index(0)], {
    Tparams: float,
    Tindices: int,
    Taxis: int,
    batch_dims: { int: 0 },
  });
}

function reduce(node: Node<OperationOf<"sum" | "mean" | "max">>, around: EmitAround): string {
  const { kind, axes, keepAxes } = node.operation;
  const rank = inputOf(node, 0).shape.length;
  if (kind === "sum" && rank > 1 && !keepAxes && axes.length === rank - 1 && !axes.includes(rank - 1))
    return op(around, "BiasAddGrad", allOf(node, around), nhwc);
  const name = { sum: "Sum", mean: "Mean", max: "Max" }[kind];
  return op(around, name, [at(node, 0, around), around.graph.indices(axes)], {
    Tidx: int,
    keep_dims: { flag: keepAxes },
  });
}

function dropoutMask({ operation, shape }: Node<OperationOf<"dropoutMask">>, around: EmitAround): string {
  const { graph, random } = around;
  expect(random !== null, "scoring read a dropout mask");
  const { share, name } = operation;
  let mixed = 0;
  for (let index = 0; index < name.length; index++) mixed = mix(mixed ^ name.charCodeAt(index));
  const own = graph.op("AddV2", [random.seed, graph.indices([mixed])], { T: int });
  const seed = concat(graph, [own, random.step], 0, int);
  const drawn = graph.op("StatelessRandomUniform", [graph.indices(shape), seed], {
    dtype: float,
    T: int,
    Tseed: int,
  });
  const kept = op(around, "GreaterEqual", [drawn, graph.scalar(share)]);
  return op(around, "Mul", [toFloat(graph, kept), graph.scalar(1 / (1 - share))]);
}

/** Loss of each row, and as second output its gradient by the logits: one operation for both ways. */
function logLoss(node: Node, around: EmitAround): string {
  const inputs = [at(node, 0, around), at(node, 1, around)];
  const key = inputs.join(" ");
  const found = around.losses.get(key);
  if (found !== undefined) return found;
  const name = around.graph.op("SparseSoftmaxCrossEntropyWithLogits", inputs, {
    T: float,
    Tlabels: int,
  });
  around.losses.set(key, name);
  return name;
}

/** A vector added along the last axis. */
function biasLike(node: Node): boolean {
  const [a, b] = node.inputs;
  return a !== undefined && b?.shape.length === 1 && a.shape.length > 1 && a.shape.at(-1) === b.shape[0];
}
