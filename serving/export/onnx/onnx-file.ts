/**
 * A graph as the bytes of an ONNX model, by the few messages that takes (github.com/onnx/onnx, onnx/onnx.proto). Operations are
 * ONNX's own already; what later versions of them take as inputs instead of attributes becomes a constant here.
 */
import type { TensorData } from "../../../training/tensor/tensor-data.ts";
import { bytesField, piecesField, textField, varintField } from "../../../training/tensor/protobuf.ts";
import type {
  ElementType,
  FreeShape,
  GraphNode,
  GraphScalar,
  TensorGraph,
  WideTensor,
} from "../graph/tensor-graph.ts";

/** Of the file, and of the operations: read by every ONNX Runtime since 1.13. */
const irVersion = 8;
export const opset = 17;

/** ONNX's TensorProto.DataType. */
const elementTypes: Readonly<Record<ElementType | "int32" | "string", number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float64: 11,
};
/** Of operations that are ONNX's for machine learning. */
const learningDomain = "ai.onnx.ml";
const learningOpset = 3;
/** ONNX's AttributeProto.AttributeType. */
const intAttribute = 2;
const intsAttribute = 7;
const stringsAttribute = 8;

export interface OnnxAbout {
  /** Of the graph: letters, digits and dashes. */
  readonly name: string;
  readonly producerVersion: string;
  /** One paragraph for people. */
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The file's bytes in pieces; weights are not copied. */
export function onnxFile(graph: TensorGraph, about: OnnxAbout): Uint8Array[] {
  const integers = new Map<string, Integers>();
  const nodes = graph.nodes.map((node) => piecesField(1, [nodeMessage(node, integers)]));
  const { output, inputs } = graph;
  const body = [
    ...nodes.flat(),
    textField(2, about.name),
    ...[...graph.weights].flatMap(([name, tensor]) => piecesField(5, weightMessage(name, tensor))),
    ...[...graph.wide].map(([name, one]) => bytesField(5, wideMessage(name, one))),
    ...[...graph.scalars].map(([name, scalar]) => bytesField(5, scalarMessage(name, scalar))),
    ...[...integers].map(([name, one]) => bytesField(5, integersMessage(name, one))),
    ...inputs.map(({ name, type, shape }) => bytesField(11, valueMessage(name, type, shape))),
    bytesField(12, valueMessage(output.name, "float32", output.shape)),
  ];
  const entries = Object.entries(about.metadata);
  return [
    varintField(1, irVersion),
    textField(2, "trialmesh"),
    textField(3, about.producerVersion),
    textField(6, about.description),
    ...piecesField(7, body),
    opsetField("", opset),
    ...(graph.nodes.some(({ op }) => op === "LabelEncoder")
      ? [opsetField(learningDomain, learningOpset)]
      : []),
    ...entries.map(([key, value]) => bytesField(14, Buffer.concat([textField(1, key), textField(2, value)]))),
  ];
}

/** Whole numbers that a node takes as an input. */
interface Integers {
  readonly values: readonly number[];
  readonly shape: readonly number[];
}

/** `integers`: constants that the nodes take, by name; added to. */
function nodeMessage(node: GraphNode, integers: Map<string, Integers>): Uint8Array {
  const inputs = [...node.inputs];
  const attributes: Uint8Array[] = [];
  const constant = (values: readonly number[], shape: readonly number[] = [values.length]): void => {
    const name = `${shape.length === 0 ? "axis" : "ints"}.${values.join(",")}`;
    integers.set(name, { values, shape });
    inputs.push(name);
  };
  switch (node.op) {
    case "Gather":
      attributes.push(intField("axis", 0));
      break;
    case "Softmax":
      attributes.push(intField("axis", -1));
      break;
    case "Concat":
      attributes.push(intField("axis", node.axis));
      break;
    case "CumSum":
      constant([node.axis], []);
      break;
    case "Reshape":
      constant(node.shape);
      break;
    case "Slice":
      constant(node.starts);
      constant(node.ends);
      constant(node.axes);
      break;
    case "ReduceSum":
      constant(node.axes);
      attributes.push(intField("keepdims", node.keepAxes ? 1 : 0));
      break;
    case "ReduceMean":
    case "ReduceMax":
    case "ReduceMin":
      attributes.push(intsField("axes", node.axes), intField("keepdims", node.keepAxes ? 1 : 0));
      break;
    case "Cast":
      attributes.push(intField("to", elementTypes[node.to]));
      break;
    case "Transpose":
      attributes.push(intsField("perm", node.permutation));
      break;
    case "LabelEncoder":
      attributes.push(
        stringsField("keys_strings", node.keys),
        intsField("values_int64s", [...node.keys.keys()]),
        intField("default_int64", node.keys.length),
      );
      break;
    default:
  }
  return Buffer.concat([
    ...inputs.map((input) => textField(1, input)),
    textField(2, node.output),
    textField(3, node.output),
    textField(4, node.op),
    ...attributes.map((attribute) => bytesField(5, attribute)),
    ...(node.op === "LabelEncoder" ? [textField(7, learningDomain)] : []),
  ]);
}

function intField(name: string, value: number): Buffer {
  return Buffer.concat([textField(1, name), varintField(3, value), varintField(20, intAttribute)]);
}

function intsField(name: string, values: readonly number[]): Buffer {
  const all = values.map((value) => varintField(8, value));
  return Buffer.concat([textField(1, name), ...all, varintField(20, intsAttribute)]);
}

function stringsField(name: string, values: readonly string[]): Buffer {
  const all = values.map((value) => textField(9, value));
  return Buffer.concat([textField(1, name), ...all, varintField(20, stringsAttribute)]);
}

function opsetField(domain: string, version: number): Buffer {
  return bytesField(8, Buffer.concat([textField(1, domain), varintField(2, version)]));
}

function wideMessage(name: string, { shape, data }: WideTensor): Buffer {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat([tensorHead(name, elementTypes.float64, shape), bytesField(9, raw)]);
}

function weightMessage(name: string, { shape, data }: TensorData): Uint8Array[] {
  const type = data instanceof Float32Array ? elementTypes.float32 : elementTypes.int32;
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [tensorHead(name, type, shape), ...piecesField(9, [raw])];
}

function scalarMessage(name: string, { type, value }: GraphScalar): Buffer {
  const raw = Buffer.alloc(type === "float32" ? 4 : 8);
  if (type === "float32") raw.writeFloatLE(value);
  else if (type === "float64") raw.writeDoubleLE(value);
  else raw.writeBigInt64LE(BigInt(value));
  return Buffer.concat([tensorHead(name, elementTypes[type], []), bytesField(9, raw)]);
}

function integersMessage(name: string, { values, shape }: Integers): Buffer {
  const raw = Buffer.alloc(8 * values.length);
  values.forEach((value, at) => raw.writeBigInt64LE(BigInt(value), 8 * at));
  return Buffer.concat([tensorHead(name, elementTypes.int64, shape), bytesField(9, raw)]);
}

function tensorHead(name: string, type: number, shape: readonly number[]): Buffer {
  return Buffer.concat([
    ...shape.map((length) => varintField(1, length)),
    varintField(2, type),
    textField(8, name),
  ]);
}

function valueMessage(name: string, type: ElementType | "string", shape: FreeShape): Buffer {
  const lengths = shape.map((length) =>
    bytesField(1, typeof length === "number" ? varintField(1, length) : textField(2, length)),
  );
  const tensor = Buffer.concat([varintField(1, elementTypes[type]), bytesField(2, Buffer.concat(lengths))]);
  return Buffer.concat([textField(1, name), bytesField(2, bytesField(1, tensor))]);
}
