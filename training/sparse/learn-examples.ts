/**
 * One thread's part of an epoch: takes chunks of the order until none is left. Threads that learn at once write
 * into the same weights without locks (Hogwild, Recht et al. 2011): as examples share few n-grams, little is lost.
 */
import { numberBytes } from "./wasm-code.ts";
import type { WasmExports, WasmMemory } from "./wasm-module.ts";

/** Examples per call of a kernel: V8 exchanges a function for its optimised self only between calls. */
const chunkExamples = 64;

/** Addresses and counts in the memory; plain numbers, so that they can be sent to another thread. */
export interface LearnCall {
  /** Of the number of examples taken so far. */
  readonly taken: number;
  readonly examples: number;
  readonly order: number;
  readonly rates: number;
  /** Addresses of offsets, rows and truths. */
  readonly data: readonly number[];
  readonly labelWeights: number;
  readonly labels: number;
  /** One for each thread. */
  readonly scratch: number;
  /** Addresses of the tensors, then the kernel's own numbers. */
  readonly rest: readonly number[];
}

/** Gives the sum of the log losses of the examples this thread took. */
export function learnExamples(kernel: WasmExports, memory: WasmMemory, call: LearnCall): number {
  const { learn } = kernel;
  if (learn === undefined) throw new Error("the kernel has no learn");
  const taken = new Int32Array(memory.buffer, call.taken, 1);
  let loss = 0;
  for (;;) {
    const at = Atomics.add(taken, 0, chunkExamples);
    if (at >= call.examples) return loss;
    loss += learn(
      call.order + at * numberBytes,
      Math.min(chunkExamples, call.examples - at),
      ...call.data,
      call.rates + at * numberBytes,
      call.labelWeights,
      call.labels,
      call.scratch,
      ...call.rest,
    );
  }
}
