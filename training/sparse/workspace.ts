/**
 * The memory a sparse kernel computes in: tensors and data one after the other, by address. Views into it are
 * made anew at each use, as growing the memory takes the old ones away.
 */
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { createMemory, pageBytes, type WasmMemory } from "./wasm-module.ts";

/** An address is an unsigned 32-bit number; the last page stays free. */
const bytesMax = 2 ** 32 - pageBytes;
const alignBytes = 64;

export class Workspace {
  readonly memory: WasmMemory;
  #used: number;

  private constructor(memory: WasmMemory) {
    this.memory = memory;
    this.#used = alignBytes;
  }

  /** Room for so many bytes from the start, `shared` with other threads; refused where an address or the machine cannot hold them. */
  static create(bytes: number, shared = false): Outcome<Workspace> {
    const size = Math.ceil(bytes / bytesPerMiB);
    if (bytes > bytesMax) {
      return refuse(
        "invalid",
        `the model's tables need ${size} MiB, and at most ${bytesMax / bytesPerMiB} MiB can be held; fewer buckets or a smaller width need less`,
      );
    }
    try {
      return accept(new Workspace(createMemory(Math.ceil((bytes + alignBytes) / pageBytes), shared)));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return refuse(
        "invalid",
        `the model's tables need ${size} MiB, and this machine has not so much free; fewer buckets or a smaller width need less`,
      );
    }
  }

  /** The address of so many free bytes, all zero unless they were released before. */
  allocate(bytes: number): number {
    const at = this.#used;
    this.#used = at + roundUp(bytes);
    const missing = this.#used - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / pageBytes));
    return at;
  }

  /** Runs with allocations that are given back at its end. */
  during<T>(use: () => T): T {
    const used = this.#used;
    try {
      return use();
    } finally {
      this.#used = used;
    }
  }

  /** A copy of the numbers in this memory. */
  put(numbers: Int32Array | Float32Array): number {
    const at = this.allocate(numbers.byteLength);
    if (numbers instanceof Int32Array) this.ints(at, numbers.length).set(numbers);
    else this.floats(at, numbers.length).set(numbers);
    return at;
  }

  ints(at: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, at, length);
  }

  floats(at: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, length);
  }

  doubles(at: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, at, length);
  }
}

/** Bytes that `allocate` takes for arrays of these sizes. */
export function bytesOf(...sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + roundUp(size), 0);
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / alignBytes) * alignBytes;
}
