/**
 * Reads of a WebGPU tensor that block until the card has the values, as `dataSync` promises. TensorFlow.js
 * draws them through a canvas, which Node has not. Not for many small reads: each waits for all work before it.
 */
import type { DataId } from "@tensorflow/tfjs-core";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { TensorFlow } from "./backend.ts";

/** Of WebGPU's specification. */
const usageMapRead = 1;
const usageCopyDestination = 8;
const mapModeRead = 1;
const deadlineMs = 60_000;

interface Buffer {
  readonly size: number;
  readonly mapState: string;
  mapAsync(mode: number): Promise<undefined>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
}

type Values = Float32Array | Int32Array | Uint8Array;

/** What of TensorFlow.js's own backend a read needs. */
interface WebgpuBackend {
  readonly tensorMap: {
    get(
      id: DataId,
    ): { values?: Values | null; readonly dtype: string; readonly resource?: Buffer | null } | undefined;
  };
  readonly bufferManager: {
    acquireBuffer(size: number, usage: number): Buffer;
    releaseBuffer(buffer: Buffer): void;
  };
  readonly commandEncoder: {
    copyBufferToBuffer(from: Buffer, fromAt: number, to: Buffer, toAt: number, size: number): void;
  };
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  readSync(id: DataId): unknown;
}

/** `pump` gives Dawn a turn. */
export function readWhileWaiting(tf: TensorFlow, pump: () => void): Outcome<null> {
  const backend: unknown = tf.backend();
  if (!isWebgpuBackend(backend))
    return refuse("unavailable", "backend webgpu is of a version that trialmesh does not know");
  const whole = backend.readSync.bind(backend);
  backend.readSync = (id) => {
    const data = backend.tensorMap.get(id);
    const resource = data?.resource ?? null;
    if (data === undefined || (data.values ?? null) !== null || resource === null || !isPlain(data.dtype))
      return whole(id);
    const values = valuesOf(data.dtype, download(backend, resource, pump));
    data.values = values;
    return values;
  };
  return accept(null);
}

function isPlain(dtype: string): dtype is "float32" | "int32" | "bool" {
  return dtype === "float32" || dtype === "int32" || dtype === "bool";
}

/** Booleans are whole numbers on the card, as the backend itself reads them. */
function valuesOf(dtype: "float32" | "int32" | "bool", bytes: ArrayBuffer): Values {
  if (dtype === "float32") return new Float32Array(bytes);
  return dtype === "int32" ? new Int32Array(bytes) : Uint8Array.from(new Int32Array(bytes));
}

function download(backend: WebgpuBackend, from: Buffer, pump: () => void): ArrayBuffer {
  const staging = backend.bufferManager.acquireBuffer(from.size, usageCopyDestination | usageMapRead);
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.commandEncoder.copyBufferToBuffer(from, 0, staging, 0, from.size);
  backend.submitQueue();
  let failure: unknown = null;
  staging.mapAsync(mapModeRead).catch((error: unknown) => (failure = error));
  const deadline = performance.now() + deadlineMs;
  while (staging.mapState !== "mapped") {
    if (staging.mapState === "unmapped" || performance.now() > deadline)
      throw new Error("the graphics card did not give its values", { cause: failure });
    pump();
  }
  const bytes = staging.getMappedRange().slice(0);
  staging.unmap();
  backend.bufferManager.releaseBuffer(staging);
  return bytes;
}

function isWebgpuBackend(backend: unknown): backend is WebgpuBackend {
  return (
    typeof backend === "object" &&
    backend !== null &&
    [
      "tensorMap",
      "bufferManager",
      "ensureCommandEncoderReady",
      "endComputePassEncoder",
      "submitQueue",
      "readSync",
    ].every((name) => name in backend)
  );
}
