/**
 * The vertices of a network's graph: what each computes, its static shape, its inputs. Plain data;
 * `graph.ts` makes them, `differentiate.ts` adds those of the way back, the executors read them.
 */
import { expect, type Shape } from "./shape.ts";

export type DataType = "float32" | "int32";

/** How a weight begins; what is random is drawn from the network's seed and the weight's name. */
export type Initial =
  | { readonly kind: "zeros" | "ones" }
  /** Uniform in [-bound, bound). */
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "normal"; readonly deviation: number }
  /** Glorot and Bengio 2010: uniform, by the product of all axes but the last and by the last. */
  | { readonly kind: "glorot" };

export type UnaryKind = "relu" | "tanh" | "sigmoid" | "exp" | "log" | "sqrt" | "rsqrt" | "square";
export type BinaryKind = "add" | "sub" | "mul" | "div";

export type Operation =
  | { readonly kind: "input"; readonly name: string }
  | { readonly kind: "weight"; readonly name: string; readonly initial: Initial }
  /** Its whole shape filled with one value. */
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: BinaryKind | UnaryKind }
  | { readonly kind: "scale" | "shift"; readonly by: number }
  /** The input repeated along axes of length 1. */
  | { readonly kind: "broadcast" }
  /** The way back of relu, tanh and sigmoid: inputs are its output and the gradient by that. */
  | { readonly kind: "reluGradient" | "tanhGradient" | "sigmoidGradient" }
  /** 1 where the input is above zero, else 0; float32 whatever the input. */
  | { readonly kind: "positive" }
  /** 1 where two inputs are equal, else 0; broadcasts. */
  | { readonly kind: "equal" }
  /** Sum of any number of inputs of one shape. */
  | { readonly kind: "addN" }
  /** [..., m, k] by [..., k, n], equal leading axes. */
  | { readonly kind: "matmul"; readonly transposeA: boolean; readonly transposeB: boolean }
  /** Over the last axis. */
  | { readonly kind: "softmax" }
  /** Rows of the first input by the numbers of the second. */
  | { readonly kind: "gather" }
  /** values [n..., ...slice], ids [n...] → [rows, ...slice]: sums of the values of each row. */
  | { readonly kind: "segmentSum"; readonly rows: number }
  | { readonly kind: "reshape" }
  | { readonly kind: "transpose"; readonly permutation: readonly number[] }
  | { readonly kind: "slice"; readonly begin: readonly number[] }
  /** Zeros before and after each axis. */
  | { readonly kind: "pad"; readonly before: readonly number[] }
  | { readonly kind: "concat"; readonly axis: number }
  | {
      readonly kind: "sum" | "mean" | "max";
      readonly axes: readonly number[];
      readonly keepAxes: boolean;
    }
  /** [batch, length, width] → [batch, length - size + 1, size * width]: each window's rows side by side. */
  | { readonly kind: "unfold"; readonly size: number }
  /** The way back of `unfold`: adds each window to where it came from. */
  | { readonly kind: "fold"; readonly size: number }
  /** x [batch, length, width], kernel [size * width, filters] → [batch, filters]: each filter's best window. */
  | { readonly kind: "windowMax"; readonly size: number }
  /** The way back of `windowMax`: inputs are its output and the gradient by that. */
  | { readonly kind: "windowMaxRowGradient" | "windowMaxKernelGradient" }
  /** Where dropout keeps a cell, 1 / (1 - share), else 0; of the network's seed, the step and the name. */
  | { readonly kind: "dropoutMask"; readonly share: number; readonly name: string }
  /** x by mask in training, x in scoring. */
  | { readonly kind: "dropout" }
  /** logits [batch, labels], labels [batch], weights [batch] → the weighted mean log loss, in nats. */
  | { readonly kind: "crossEntropy" }
  /** The gradient of `crossEntropy` by the logits, of the same inputs. */
  | { readonly kind: "crossEntropyGradient" };

export interface Node<Kind extends Operation = Operation> {
  /** Its place in the graph: inputs stand before what they feed. */
  readonly id: number;
  readonly operation: Kind;
  readonly inputs: readonly Node[];
  readonly shape: Shape;
  readonly type: DataType;
}

export type OperationKind = Operation["kind"];

/** The operation of a kind, with all that belongs to it. */
export type OperationOf<Kind extends OperationKind> = Operation extends infer One
  ? One extends Operation
    ? Kind extends One["kind"]
      ? One
      : never
    : never
  : never;

/** What is done with a node of each kind, and with what: a table in which no kind is left out. */
export type ByKind<Around, Result> = {
  readonly [Kind in OperationKind]: (node: Node<OperationOf<Kind>>, around: Around) => Result;
};

/** Does with a node what the table says for its kind. */
export function byKind<Around, Result>(table: ByKind<Around, Result>, node: Node, around: Around): Result {
  return entryFor(table, node.operation.kind, node, around);
}

/** Table and node by one kind: so the compiler sees that they belong together. */
function entryFor<Kind extends OperationKind, Around, Result>(
  table: ByKind<Around, Result>,
  kind: Kind,
  node: Node<OperationOf<Kind>>,
  around: Around,
): Result {
  return table[kind](node, around);
}

/** The given input of a node. */
export function inputOf(node: Node, index: number): Node {
  const found = node.inputs[index];
  expect(found !== undefined, `${node.operation.kind} has no input ${index}`);
  return found;
}
