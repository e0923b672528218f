/**
 * The process in which ONNX Runtime works: a model that crashes it, or takes all memory, ends this process and nobody else's. It loads one
 * model, answers with it one request after the other, and goes with whoever started it.
 */
import { findPackage } from "../../training/runtime/managed-package.ts";
import { onnxPackage } from "../../training/runtime/managed-runtime.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { outputMaxMiB, tooLarge } from "./engine-fault.ts";
import { elementTypes, engineRequestSchema } from "./engine-message.ts";
import type { ElementType, EnginePort, EngineReply, EngineTensor, Unnumbered } from "./engine-message.ts";

type Elements =
  | readonly string[]
  | Float32Array
  | Float64Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array;

interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Elements;
}
interface Metadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}
interface Session {
  readonly inputMetadata: readonly Metadata[];
  readonly outputMetadata: readonly Metadata[];
  run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    fetches: readonly string[],
  ): Promise<Readonly<Record<string, RuntimeTensor>>>;
}
interface Runtime {
  readonly InferenceSession: {
    create(path: string, options: object): Promise<Session>;
  };
  readonly Tensor: new (type: string, data: Elements, shape: readonly number[]) => RuntimeTensor;
}

function isRuntime(value: unknown): value is Runtime {
  return typeof value === "object" && value !== null && "InferenceSession" in value && "Tensor" in value;
}

let loaded: { readonly runtime: Runtime; readonly session: Session } | null = null;

async function load(path: string): Promise<Unnumbered<EngineReply>> {
  const found = findPackage(onnxPackage)?.load();
  if (!isRuntime(found)) return { kind: "absent" };
  const session = await found.InferenceSession.create(path, {
    // What it would print is for nobody; what it throws is told.
    logSeverityLevel: 4,
    executionProviders: ["cpu"],
  });
  loaded = { runtime: found, session };
  return {
    kind: "loaded",
    inputs: session.inputMetadata.map(portOf),
    outputs: session.outputMetadata.map(portOf),
  };
}

function portOf({ isTensor, name, shape = [], type }: Metadata): EnginePort {
  return {
    name,
    type: isTensor ? (type ?? "unknown") : null,
    shape: shape.map((length) => (typeof length === "number" ? length : -1)),
  };
}

async function run(
  inputs: readonly EngineTensor[],
  wanted: readonly string[],
): Promise<Unnumbered<EngineReply>> {
  if (loaded === null) return { kind: "failed", words: "no model is loaded" };
  const { runtime, session } = loaded;
  const feeds = Object.fromEntries(
    inputs.map(({ data, name, shape, type }) => [
      name,
      new runtime.Tensor(type, elementsIn(type, data), shape),
    ]),
  );
  const made = await session.run(feeds, wanted);
  const bytes = wanted.reduce((sum, name) => sum + sizeOf(made[name]?.data ?? []), 0);
  if (bytes > outputMaxMiB * bytesPerMiB) return { kind: "failed", words: tooLarge };
  const outputs = wanted.map((name): EngineTensor => {
    const tensor = made[name];
    if (tensor === undefined) throw new Error(`no output ${name}`);
    const type = elementTypes.find((one) => one === tensor.type);
    if (type === undefined) throw new Error(`an output of type ${tensor.type}`);
    return { name, type, shape: [...tensor.dims], data: bytesIn(tensor.data) };
  });
  return { kind: "ran", outputs };
}

function sizeOf(data: Elements): number {
  return ArrayBuffer.isView(data) ? data.byteLength : data.reduce((sum, text) => sum + text.length, 0);
}

const arrays = {
  ...{ float32: Float32Array, float64: Float64Array, bool: Uint8Array },
  ...{ int8: Int8Array, int16: Int16Array, int32: Int32Array, int64: BigInt64Array },
  ...{ uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, uint64: BigUint64Array },
} as const;

function elementsIn(type: ElementType, data: EngineTensor["data"]): Elements {
  if (!(data instanceof Uint8Array)) return data;
  if (type === "string") return [];
  // A copy of its own begins where every kind of array may.
  return new arrays[type](new Uint8Array(data).buffer);
}

function bytesIn(data: Elements): EngineTensor["data"] {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  return [...data];
}

async function answer(message: unknown): Promise<void> {
  const request = engineRequestSchema.parse(message);
  const { id } = request;
  try {
    const reply =
      request.kind === "load" ? await load(request.path) : await run(request.inputs, request.outputs);
    process.send?.({ ...reply, id });
  } catch (error) {
    process.send?.({ id, kind: "failed", words: error instanceof Error ? error.message : "it failed" });
  }
}

let before: Promise<void> = Promise.resolve();
process.on("message", (message) => {
  before = before.then(() => answer(message));
});
process.once("disconnect", () => process.exit(0));
// Ctrl-c is for whoever started it, and answers what was asked first.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
