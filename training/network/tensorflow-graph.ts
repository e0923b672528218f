/**
 * Writes a TensorFlow graph as the bytes of a SavedModel, by the few protocol-buffer messages that takes
 * (tensorflow/core/protobuf/saved_model.proto, framework/graph.proto, node_def.proto, attr_value.proto).
 * It knows operations by name only; `native-node.ts` knows what they mean.
 */
import { createHash } from "node:crypto";
import { bytesField, floatField, varintField } from "../tensor/protobuf.ts";

/** TensorFlow's DataType numbers. */
export const dataType = { float32: 1, int32: 3, bool: 10 } as const;
type DataTypeName = keyof typeof dataType;

export type Attribute =
  | { readonly type: DataTypeName }
  | { readonly shape: readonly number[] }
  | { readonly text: string }
  | { readonly flag: boolean }
  | { readonly int: number }
  | { readonly float: number }
  | { readonly tensor: Float32Array | Int32Array; readonly shape: readonly number[] };

/** The versions of graphs that TensorFlow 2.9 to 2.21 read. */
const producer = 1087;
const schemaVersion = 1;
export const tag = "serve";

interface OperationDefinition {
  readonly name: string;
  readonly kind: string;
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export class TensorFlowGraph {
  readonly #operations: OperationDefinition[] = [];
  readonly #constants = new Map<string, string>();
  #count = 0;

  /** Adds an operation and gives its name, which stands for its first output ("name:1" for its second). */
  op(
    kind: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
    { name = `n${this.#count}`, after = [] }: { name?: string; after?: readonly string[] } = {},
  ): string {
    this.#count++;
    const waits = new Set(after.map((one) => `^${one.split(":")[0]}`));
    this.#operations.push({ name, kind, inputs: [...inputs, ...waits], attributes });
    return name;
  }

  /** Graphs of one key have the same bytes; it is sooner had than those. */
  key(): string {
    return createHash("sha256").update(JSON.stringify(this.#operations)).digest("hex");
  }

  /** A float32 scalar. */
  scalar(value: number): string {
    return this.#constant(`scalar ${value}`, "float32", Float32Array.of(value), []);
  }

  /** An int32 scalar. */
  index(value: number): string {
    return this.#constant(`index ${value}`, "int32", Int32Array.of(value), []);
  }

  /** int32 [n]. */
  indices(values: readonly number[]): string {
    return this.#constant(`indices ${values.join(" ")}`, "int32", Int32Array.from(values), [values.length]);
  }

  /** int32 of any shape. */
  integers(values: readonly number[], shape: readonly number[]): string {
    return this.#constant(`${shape.join(" ")}: ${values.join(" ")}`, "int32", Int32Array.from(values), shape);
  }

  /** The SavedModel: one graph under `tag`, no variables in files. */
  encode(): Buffer {
    const versions = varintField(1, producer);
    const graph = Buffer.concat([...this.#operations.map(definition), bytesField(4, versions)]);
    const information = bytesField(4, Buffer.from(tag));
    const metaGraph = Buffer.concat([bytesField(1, information), bytesField(2, graph)]);
    return Buffer.concat([varintField(1, schemaVersion), bytesField(2, metaGraph)]);
  }

  #constant(
    key: string,
    type: DataTypeName,
    tensor: Float32Array | Int32Array,
    shape: readonly number[],
  ): string {
    const found = this.#constants.get(key);
    if (found !== undefined) return found;
    const name = this.op("Const", [], { dtype: { type }, value: { tensor, shape } });
    this.#constants.set(key, name);
    return name;
  }
}

function definition({ attributes, inputs, kind, name }: OperationDefinition): Buffer {
  const fields = Buffer.concat([
    bytesField(1, Buffer.from(name)),
    bytesField(2, Buffer.from(kind)),
    ...inputs.map((input) => bytesField(3, Buffer.from(input))),
    ...Object.entries(attributes).map(([key, value]) =>
      bytesField(5, Buffer.concat([bytesField(1, Buffer.from(key)), bytesField(2, attribute(value))])),
    ),
  ]);
  return bytesField(1, fields);
}

function attribute(value: Attribute): Buffer {
  if ("type" in value) return varintField(6, dataType[value.type]);
  if ("text" in value) return bytesField(2, Buffer.from(value.text));
  if ("flag" in value) return varintField(5, value.flag ? 1 : 0);
  if ("int" in value) return varintField(3, value.int);
  if ("float" in value) return floatField(4, value.float);
  if ("tensor" in value) {
    const { tensor } = value;
    return bytesField(
      8,
      Buffer.concat([
        varintField(1, tensor instanceof Float32Array ? dataType.float32 : dataType.int32),
        bytesField(2, shapeMessage(value.shape)),
        bytesField(4, Buffer.from(tensor.buffer, tensor.byteOffset, tensor.byteLength)),
      ]),
    );
  }
  return bytesField(7, shapeMessage(value.shape));
}

function shapeMessage(shape: readonly number[]): Buffer {
  return Buffer.concat(shape.map((length) => bytesField(2, varintField(1, length))));
}
