/**
 * A graph as a graph model of TensorFlow.js (model.json and its weights): ONNX's operations by the names that TensorFlow has for
 * them. It has no double precision and no 64-bit integers: those become single precision and 32 bits.
 */
import {
  type ElementType,
  type FreeShape,
  type GraphNode,
  type GraphOperation,
  sliceEnd,
  type TensorGraph,
} from "./graph/tensor-graph.ts";

type DataType = "DT_FLOAT" | "DT_INT32" | "DT_BOOL" | "DT_STRING";

type Attribute =
  | { readonly type: DataType }
  | { readonly b: boolean }
  | { readonly i: string }
  | { readonly shape: { readonly dim: readonly { readonly size: string }[] } };

interface NodeDefinition {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr: Readonly<Record<string, Attribute>>;
}

interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32";
}

export interface TfjsModel {
  /** model.json. */
  readonly json: string;
  /** weights.bin. */
  readonly weights: readonly Uint8Array[];
}

export const weightsFile = "weights.bin";

const dataTypes: Readonly<Record<ElementType | "string", DataType>> = {
  float32: "DT_FLOAT",
  float64: "DT_FLOAT",
  int64: "DT_INT32",
  bool: "DT_BOOL",
  string: "DT_STRING",
};

/** Where TensorFlow has another word. */
const otherNames: Readonly<Partial<Record<GraphOperation["op"], string>>> = {
  Add: "AddV2",
  Div: "RealDiv",
  Max: "Maximum",
  Min: "Minimum",
  MatMul: "BatchMatMulV2",
  Gather: "GatherV2",
  CumSum: "Cumsum",
  ReduceSum: "Sum",
  ReduceMean: "Mean",
  ReduceMax: "Max",
  ReduceMin: "Min",
  Slice: "StridedSlice",
  Concat: "ConcatV2",
};

export function tfjsModel(graph: TensorGraph, generatedBy: string): TfjsModel {
  const entries: WeightEntry[] = [];
  const weights: Uint8Array[] = [];
  const nodes: NodeDefinition[] = [];
  const constant = (name: string, shape: readonly number[], data: Float32Array | Int32Array): string => {
    if (entries.some((entry) => entry.name === name)) return name;
    const isFloat = data instanceof Float32Array;
    entries.push({ name, shape, dtype: isFloat ? "float32" : "int32" });
    weights.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    nodes.push({ name, op: "Const", attr: { dtype: { type: isFloat ? "DT_FLOAT" : "DT_INT32" } } });
    return name;
  };
  for (const { name, type, shape } of graph.inputs)
    nodes.push({
      name,
      op: "Placeholder",
      attr: { dtype: { type: dataTypes[type] }, shape: shapeAttribute(shape) },
    });
  for (const [name, { shape, data }] of graph.weights) constant(name, shape, data);
  for (const [name, { type, value }] of graph.scalars)
    constant(name, [], type === "int64" ? Int32Array.of(value) : Float32Array.of(value));
  const integers = (values: readonly number[]): string =>
    constant(`ints.${values.join(",")}`, [values.length], Int32Array.from(values));
  const integer = (value: number): string => constant(`int.${value}`, [], Int32Array.of(value));
  for (const node of graph.nodes) nodes.push(definition(node, integers, integer));
  const { inputs, output } = graph;
  const json = {
    format: "graph-model",
    generatedBy,
    convertedBy: null,
    signature: {
      inputs: Object.fromEntries(inputs.map((one) => [one.name, signature(one.name, one.type, one.shape)])),
      outputs: { [output.name]: signature(output.name, "float32", output.shape) },
    },
    modelTopology: { node: nodes, library: {}, versions: { producer: producerVersion } },
    weightsManifest: [{ paths: [weightsFile], weights: entries }],
  };
  return { json: `${JSON.stringify(json)}\n`, weights };
}

/** Of the graph's definition, as TensorFlow 2.15 wrote it. */
const producerVersion = 1645;

function definition(
  node: GraphNode,
  integers: (values: readonly number[]) => string,
  integer: (value: number) => string,
): NodeDefinition {
  const plain = { name: node.output, op: otherNames[node.op] ?? node.op };
  const float = { T: { type: "DT_FLOAT" } } as const;
  switch (node.op) {
    case "Gather":
      return { ...plain, input: [...node.inputs, integer(0)], attr: { Tparams: { type: "DT_FLOAT" } } };
    case "CumSum":
      return {
        ...plain,
        input: [...node.inputs, integer(node.axis)],
        attr: { ...float, exclusive: { b: false }, reverse: { b: false } },
      };
    case "ReduceSum":
    case "ReduceMean":
    case "ReduceMax":
    case "ReduceMin":
      return {
        ...plain,
        input: [...node.inputs, integers(node.axes)],
        attr: { ...float, keep_dims: { b: node.keepAxes } },
      };
    case "Cast":
      return { ...plain, input: node.inputs, attr: { DstT: { type: dataTypes[node.to] } } };
    case "Transpose":
      return { ...plain, input: [...node.inputs, integers(node.permutation)], attr: float };
    case "Reshape":
      return { ...plain, input: [...node.inputs, integers(node.shape)], attr: float };
    case "Concat":
      return {
        ...plain,
        input: [...node.inputs, integer(node.axis)],
        attr: { ...float, N: { i: String(node.inputs.length) } },
      };
    case "MatMul":
      return { ...plain, input: node.inputs, attr: { ...float, adj_x: { b: false }, adj_y: { b: false } } };
    case "Slice":
      return stridedSlice(node, plain, integers);
    default:
      return { ...plain, input: node.inputs, attr: float };
  }
}

function stridedSlice(
  node: GraphNode & { readonly op: "Slice" },
  plain: Pick<NodeDefinition, "name" | "op">,
  integers: (values: readonly number[]) => string,
): NodeDefinition {
  const rank = Math.max(...node.axes) + 1;
  const of = (values: readonly number[], otherwise: number) =>
    Array.from({ length: rank }, (_, axis) => values[node.axes.indexOf(axis)] ?? otherwise);
  // Axes that are not cut are masked, from their start to their end.
  const mask = of([], 0).reduce((bits, _, axis) => (node.axes.includes(axis) ? bits : bits | (1 << axis)), 0);
  const none = { i: "0" };
  return {
    ...plain,
    input: [...node.inputs, integers(of(node.starts, 0)), integers(of(node.ends, 0)), integers(of([], 1))],
    attr: {
      T: { type: "DT_FLOAT" },
      begin_mask: { i: String(mask) },
      end_mask: { i: String(mask | endMask(node)) },
      ellipsis_mask: none,
      new_axis_mask: none,
      shrink_axis_mask: none,
    },
  };
}

/** Axes that are cut up to their end, however long they are. */
function endMask({ axes, ends }: GraphNode & { readonly op: "Slice" }): number {
  return axes.reduce((bits, axis, at) => ((ends[at] ?? 0) >= sliceEnd ? bits | (1 << axis) : bits), 0);
}

function shapeAttribute(shape: FreeShape): Attribute {
  return {
    shape: { dim: shape.map((length) => ({ size: String(typeof length === "number" ? length : -1) })) },
  };
}

function signature(name: string, type: ElementType | "string", shape: FreeShape): object {
  const attribute = shapeAttribute(shape);
  return {
    name: `${name}:0`,
    dtype: dataTypes[type],
    tensorShape: "shape" in attribute ? attribute.shape : {},
  };
}
