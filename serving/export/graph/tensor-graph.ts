/**
 * A model's arithmetic as a list of named operations, from inputs to answers: what every export format is written from. Operations
 * mean what ONNX says of them (opset 17). It computes nothing, and knows no format.
 */
import type { TensorData } from "../../../training/tensor/tensor-data.ts";

export type ElementType = "float32" | "float64" | "int64" | "bool";

/** A length by its name is free, such as the batch. */
export type FreeShape = readonly (number | string)[];

export interface GraphInput {
  readonly name: string;
  readonly type: "float32" | "float64" | "int64" | "string";
  readonly shape: FreeShape;
}

export type GraphOperation =
  | { readonly op: "Add" | "Sub" | "Mul" | "Div" | "Max" | "Min" | "Less" | "Greater" | "Equal" | "MatMul" }
  | { readonly op: "Relu" | "Tanh" | "Sigmoid" | "Exp" | "Log" | "Sqrt" | "Reciprocal" }
  | { readonly op: "IsNaN" | "Where" }
  /** The place of a text among the keys, or how many they are, as int64; an operation of ONNX's for machine learning. */
  | { readonly op: "LabelEncoder"; readonly keys: readonly string[] }
  /** Over the last axis. */
  | { readonly op: "Softmax" }
  /** Rows of the first input by the numbers of the second. */
  | { readonly op: "Gather" }
  /** Running sums, one after the other in the order of the axis. */
  | { readonly op: "CumSum"; readonly axis: number }
  | {
      readonly op: "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin";
      readonly axes: readonly number[];
      readonly keepAxes: boolean;
    }
  | { readonly op: "Cast"; readonly to: ElementType }
  | { readonly op: "Transpose"; readonly permutation: readonly number[] }
  /** One length may be -1. */
  | { readonly op: "Reshape"; readonly shape: readonly number[] }
  /** A start below zero counts from the end. */
  | {
      readonly op: "Slice";
      readonly axes: readonly number[];
      readonly starts: readonly number[];
      readonly ends: readonly number[];
    }
  | { readonly op: "Concat"; readonly axis: number };

export type GraphNode = GraphOperation & { readonly inputs: readonly string[]; readonly output: string };

/** A single number that the graph brings along. */
export interface GraphScalar {
  readonly type: "float32" | "float64" | "int64";
  readonly value: number;
}

export interface WideTensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export interface TensorGraph {
  readonly inputs: readonly GraphInput[];
  readonly weights: ReadonlyMap<string, TensorData>;
  readonly scalars: ReadonlyMap<string, GraphScalar>;
  /** Constants in double precision. */
  readonly wide: ReadonlyMap<string, WideTensor>;
  /** Inputs stand before what they feed. */
  readonly nodes: readonly GraphNode[];
  /** float32: `probabilities` [batch, labels], or `values` [batch]. */
  readonly output: { readonly name: string; readonly shape: FreeShape };
}

/** What `ends` of a slice says for "to the end". */
export const sliceEnd = 2 ** 31 - 1;

/** Builds a graph; every method gives the name of a value. */
export class TensorGraphBuilder {
  readonly #inputs: GraphInput[] = [];
  readonly #weights = new Map<string, TensorData>();
  readonly #scalars = new Map<string, GraphScalar>();
  readonly #wide = new Map<string, WideTensor>();
  readonly #nodes: GraphNode[] = [];

  input(name: string, type: GraphInput["type"], shape: FreeShape): string {
    this.#inputs.push({ name, type, shape });
    return name;
  }

  /** Asked for twice by one name it is the same. */
  weight(name: string, tensor: TensorData): string {
    this.#weights.set(name, tensor);
    return name;
  }

  scalar(value: number, type: GraphScalar["type"] = "float32"): string {
    const name = `${type === "float32" ? "" : `${type}.`}${value}`;
    this.#scalars.set(name, { type, value });
    return name;
  }

  wideWeight(shape: readonly number[], values: readonly number[]): string {
    const name = `wide.${this.#wide.size}`;
    this.#wide.set(name, { shape, data: Float64Array.from(values) });
    return name;
  }

  node(operation: GraphOperation, ...inputs: readonly string[]): string {
    const output = `${operation.op.toLowerCase()}.${this.#nodes.length}`;
    this.#nodes.push({ ...operation, inputs, output });
    return output;
  }

  /** The graph, with `value` as its output under the given name. */
  finish(value: string, name: string, shape: FreeShape): TensorGraph {
    const renamed = (one: string) => (one === value ? name : one);
    const nodes = this.#nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(renamed),
      output: renamed(node.output),
    }));
    const constants = { weights: this.#weights, scalars: this.#scalars, wide: this.#wide };
    return { inputs: this.#inputs, ...constants, nodes, output: { name, shape } };
  }
}
