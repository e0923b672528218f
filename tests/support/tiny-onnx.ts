/** ONNX files of a few nodes, written by hand (onnx/onnx.proto), with whatever may be wrong with one. */
import { bytesField, textField, varintField } from "../../training/tensor/protobuf.ts";
import { broughtFolder, bringBy } from "./brought-folder.ts";

export const onnxTypes = {
  ...{ FP32: 1, UINT8: 2, INT8: 3, UINT16: 4, INT16: 5, INT32: 6, INT64: 7, BYTES: 8, BOOL: 9 },
  ...{ FP64: 11, UINT32: 12, UINT64: 13 },
} as const;

export interface TinyPort {
  readonly name: string;
  readonly type: number;
  /** A text for a length that is free. */
  readonly shape: readonly (number | string)[];
}

export interface TinyNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly domain?: string;
  readonly attributes?: readonly Buffer[];
}

export interface TinyOnnx {
  readonly inputs: readonly TinyPort[];
  readonly outputs: readonly (TinyPort | { readonly name: string; readonly map: true })[];
  readonly nodes: readonly TinyNode[];
  readonly opset?: number;
  readonly ir?: number;
  readonly domains?: readonly string[];
  readonly initializers?: readonly Buffer[];
  readonly metadata?: Readonly<Record<string, string>>;
}

export function tinyOnnx(model: TinyOnnx): Buffer {
  const {
    domains = [],
    initializers = [],
    inputs,
    ir = 8,
    metadata = {},
    nodes,
    opset = 17,
    outputs,
  } = model;
  const graph = Buffer.concat([
    ...nodes.map((node) => bytesField(1, nodeMessage(node))),
    textField(2, "tiny"),
    ...initializers.map((one) => bytesField(5, one)),
    ...inputs.map((port) => bytesField(11, portMessage(port))),
    ...outputs.map((port) => bytesField(12, "map" in port ? mapMessage(port.name) : portMessage(port))),
  ]);
  return Buffer.concat([
    varintField(1, ir),
    bytesField(7, graph),
    bytesField(8, Buffer.concat([textField(1, ""), varintField(2, opset)])),
    ...domains.map((domain) => bytesField(8, Buffer.concat([textField(1, domain), varintField(2, 3)]))),
    ...Object.entries(metadata).map(([key, value]) =>
      bytesField(14, Buffer.concat([textField(1, key), textField(2, value)])),
    ),
  ]);
}

function nodeMessage({ attributes = [], domain, inputs, op, outputs }: TinyNode): Buffer {
  return Buffer.concat([
    ...inputs.map((one) => textField(1, one)),
    ...outputs.map((one) => textField(2, one)),
    textField(4, op),
    ...attributes.map((one) => bytesField(5, one)),
    ...(domain === undefined ? [] : [textField(7, domain)]),
  ]);
}

function portMessage({ name, shape, type }: TinyPort): Buffer {
  const dims = shape.map((one) =>
    bytesField(1, typeof one === "number" ? varintField(1, one) : textField(2, one)),
  );
  const tensor = Buffer.concat([varintField(1, type), bytesField(2, Buffer.concat(dims))]);
  return Buffer.concat([textField(1, name), bytesField(2, bytesField(1, tensor))]);
}

/** A list of maps from whole numbers to FP32. */
function mapMessage(name: string): Buffer {
  const value = bytesField(2, bytesField(1, varintField(1, onnxTypes.FP32)));
  const map = bytesField(5, Buffer.concat([varintField(1, onnxTypes.INT64), value]));
  return Buffer.concat([textField(1, name), bytesField(2, bytesField(4, bytesField(1, map)))]);
}

export function textsAttribute(name: string, values: readonly string[]): Buffer {
  return Buffer.concat([textField(1, name), ...values.map((one) => textField(9, one)), varintField(20, 8)]);
}

export function intsAttribute(name: string, values: readonly number[]): Buffer {
  return Buffer.concat([textField(1, name), ...values.map((one) => varintField(8, one)), varintField(20, 7)]);
}

/** FP32 of one dimension, whose values lie in a file beside the model. */
export function externalTensor(name: string, length: number, location: string): Buffer {
  const entry = Buffer.concat([textField(1, "location"), textField(2, location)]);
  const head = [varintField(1, length), varintField(2, onnxTypes.FP32), textField(8, name)];
  return Buffer.concat([...head, bytesField(13, entry), varintField(14, 1)]);
}

export function floatsTensor(name: string, shape: readonly number[], values: readonly number[]): Buffer {
  const raw = Buffer.from(Float32Array.from(values).buffer);
  const dims = shape.map((length) => varintField(1, length));
  return Buffer.concat([...dims, varintField(2, onnxTypes.FP32), textField(8, name), bytesField(9, raw)]);
}

/** What takes a tensor and gives it back. */
export function identity(type: number, shape: readonly (number | string)[]): Buffer {
  return tinyOnnx({
    inputs: [{ name: "x", type, shape }],
    outputs: [{ name: "y", type, shape }],
    nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
  });
}

export const onnxRuntime = broughtFolder("onnxruntime-node-1.30.0", "onnxruntime-node", (draft) =>
  bringBy("npm", ["install", "--prefix", draft, "--ignore-scripts", "--no-audit", "onnxruntime-node@1.30.0"]),
);
