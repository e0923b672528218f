/** A thread that learns beside the trainer's own, in the memory they share. The other side is `learner-pool.ts`. */
import { parentPort } from "node:worker_threads";
import { learnExamples, type LearnCall } from "./learn-examples.ts";
import { instantiate, type WasmExports, type WasmMemory, type WasmModule } from "./wasm-module.ts";

/** The first message, then one for each epoch. */
export type LearnerMessage =
  | { readonly kind: "open"; readonly module: WasmModule; readonly memory: WasmMemory }
  | { readonly kind: "learn"; readonly call: LearnCall };

let opened: { readonly kernel: WasmExports; readonly memory: WasmMemory } | null = null;

parentPort?.on("message", (message: LearnerMessage) => {
  switch (message.kind) {
    case "open":
      opened = { kernel: instantiate(message.module, message.memory), memory: message.memory };
      return;
    case "learn":
      if (opened === null) throw new Error("told to learn before it was opened");
      parentPort?.postMessage(learnExamples(opened.kernel, opened.memory, message.call));
  }
});
