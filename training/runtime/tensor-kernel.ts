/**
 * Kernels that TensorFlow.js lacks or has slow or wrong on its own backends, registered over the originals:
 * a scatter-add for `UnsortedSegmentSum` (cpu loops over every segment, wasm has none), a row copy for
 * `GatherV2` along axis 0, `BatchMatMul` that transposes first (wasm's own transposed path is naive), and on webgpu
 * `AddN` a few at a time (its own binds more buffers than a card must allow, and gives zeros then).
 */
import type { KernelConfig, KernelFunc, TensorInfo } from "@tensorflow/tfjs-core";
import type { TensorFlow } from "./backend.ts";

type Values = Float32Array | Int32Array | Uint8Array;

/** What these kernels need of a backend: its data out, and new data in. */
interface ScriptBackend {
  readSync(dataId: TensorInfo["dataId"]): Values;
  write(values: Values, shape: number[], dtype: TensorInfo["dtype"]): TensorInfo["dataId"];
  disposeData(dataId: TensorInfo["dataId"]): boolean;
}

const mended = new Set<string>();

export function mendKernels(tf: TensorFlow, backendName: "wasm" | "cpu" | "webgpu"): void {
  if (mended.has(backendName)) return;
  mended.add(backendName);
  if (backendName === "webgpu") {
    replace(tf, "AddN", backendName, addFewAtOnce);
    return;
  }
  replace(tf, "UnsortedSegmentSum", backendName, () => segmentSum);
  if (backendName !== "wasm") return;
  replace(tf, "GatherV2", backendName, (original) => gatherRows(original));
  const transpose = kernelOf(tf, "Transpose", backendName);
  if (transpose === null) throw new Error("the wasm backend has no Transpose kernel");
  replace(tf, "BatchMatMul", backendName, (original) => matMulTransposedFirst(original, transpose));
}

function kernelOf(tf: TensorFlow, kernelName: string, backendName: string): KernelFunc | null {
  const found: KernelConfig | undefined = tf.getKernel(kernelName, backendName);
  return found?.kernelFunc ?? null;
}

function replace(
  tf: TensorFlow,
  kernelName: string,
  backendName: string,
  make: (original: KernelFunc) => KernelFunc,
): void {
  const original = kernelOf(tf, kernelName, backendName);
  if (original !== null) tf.unregisterKernel(kernelName, backendName);
  const absent: KernelFunc = () => {
    throw new Error(`the ${backendName} backend has no kernel ${kernelName}`);
  };
  tf.registerKernel({ kernelName, backendName, kernelFunc: make(original ?? absent) });
}

/** x [n, ...slice], segmentIds [n] → [numSegments, ...slice]; negative ids add nowhere, as in TensorFlow. */
const segmentSum: KernelFunc = ({ inputs, backend, attrs }) => {
  const script = scriptBackend(backend);
  const x = given(inputs["x"]);
  const ids = given(inputs["segmentIds"]);
  const segments = Number(attrs?.["numSegments"]);
  const slice = x.shape.slice(ids.shape.length);
  const width = slice.reduce((product, size) => product * size, 1);
  const values = script.readSync(x.dataId);
  const at = script.readSync(ids.dataId);
  const out = x.dtype === "int32" ? new Int32Array(segments * width) : new Float32Array(segments * width);
  for (let row = 0; row < at.length; row++) {
    const segment = at[row] ?? -1;
    if (segment < 0 || segment >= segments) continue;
    const from = row * width;
    const to = segment * width;
    for (let index = 0; index < width; index++)
      out[to + index] = (out[to + index] ?? 0) + (values[from + index] ?? 0);
  }
  const shape = [segments, ...slice];
  return { dataId: script.write(out, shape, x.dtype), shape, dtype: x.dtype };
};

function gatherRows(original: KernelFunc): KernelFunc {
  return (call) => {
    const x = given(call.inputs["x"]);
    const indices = given(call.inputs["indices"]);
    const { axis, batchDims } = call.attrs ?? {};
    if (axis !== 0 || (batchDims ?? 0) !== 0 || x.dtype !== "float32") return original(call);
    const script = scriptBackend(call.backend);
    const slice = x.shape.slice(1);
    const width = slice.reduce((product, size) => product * size, 1);
    const rows = x.shape[0] ?? 0;
    const values = script.readSync(x.dataId);
    const at = script.readSync(indices.dataId);
    const out = new Float32Array(at.length * width);
    for (let index = 0; index < at.length; index++) {
      const row = at[index] ?? 0;
      if (row < 0 || row >= rows) throw new Error(`gather: index ${row} is not among ${rows} rows`);
      const from = row * width;
      const to = index * width;
      for (let column = 0; column < width; column++) out[to + column] = values[from + column] ?? 0;
    }
    const shape = [...indices.shape, ...slice];
    return { dataId: script.write(out, shape, x.dtype), shape, dtype: x.dtype };
  };
}

function matMulTransposedFirst(original: KernelFunc, transpose: KernelFunc): KernelFunc {
  return (call) => {
    const { transposeA = false, transposeB = false } = call.attrs ?? {};
    if (transposeA !== true && transposeB !== true) return original(call);
    const script = scriptBackend(call.backend);
    const turned: TensorInfo[] = [];
    const turn = (tensor: TensorInfo): TensorInfo => {
      const rank = tensor.shape.length;
      const perm = [...tensor.shape.keys()].map((axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis));
      const out = transpose({ inputs: { x: tensor }, backend: call.backend, attrs: { perm } });
      const single = Array.isArray(out) ? given(out[0]) : out;
      turned.push(single);
      return single;
    };
    const a = given(call.inputs["a"]);
    const b = given(call.inputs["b"]);
    const result = original({
      inputs: { a: transposeA === true ? turn(a) : a, b: transposeB === true ? turn(b) : b },
      backend: call.backend,
      attrs: { transposeA: false, transposeB: false },
    });
    for (const tensor of turned) script.disposeData(tensor.dataId);
    return result;
  };
}

/** WebGPU promises eight storage buffers to a shader: these, and one for the sum. */
const addedAtOnce = 7;

export function addFewAtOnce(original: KernelFunc): KernelFunc {
  return (call) => {
    const script = scriptBackend(call.backend);
    const waiting = Object.values(call.inputs).map(given);
    const sums: TensorInfo[] = [];
    const add = (tensors: readonly TensorInfo[]): TensorInfo => {
      // Its inputs are a list where other kernels' have names.
      const inputs = Object.assign<TensorInfo[], Record<string, TensorInfo>>([...tensors], {});
      const out = original({ ...call, inputs });
      return Array.isArray(out) ? given(out[0]) : out;
    };
    while (waiting.length > addedAtOnce) {
      const sum = add(waiting.splice(0, addedAtOnce));
      sums.push(sum);
      waiting.unshift(sum);
    }
    const result = add(waiting);
    for (const sum of sums) script.disposeData(sum.dataId);
    return result;
  };
}

function given(tensor: TensorInfo | undefined): TensorInfo {
  if (tensor === undefined) throw new Error("a kernel was called without one of its inputs");
  return tensor;
}

function scriptBackend(backend: object): ScriptBackend {
  if (isScriptBackend(backend)) return backend;
  throw new Error("a kernel was called on a backend that cannot read and write values");
}

function isScriptBackend(backend: object): backend is ScriptBackend {
  return "readSync" in backend && "write" in backend && "disposeData" in backend;
}
