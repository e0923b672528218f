/** Threads that learn beside the trainer's own, started at the first epoch and ended with the trainer. */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { LearnCall } from "./learn-examples.ts";
import type { LearnerMessage } from "./learner-worker.ts";
import type { WasmMemory, WasmModule } from "./wasm-module.ts";

export class LearnerPool {
  readonly #workers: readonly Worker[];

  constructor(threads: number, module: WasmModule, memory: WasmMemory) {
    const file = new URL(`./learner-worker${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
    this.#workers = Array.from({ length: threads }, () => new Worker(file));
    for (const worker of this.#workers) {
      worker.unref();
      tell(worker, { kind: "open", module, memory });
    }
  }

  /** Begins the calls, one on each thread; gives the sum of their losses once all are done. Throws where a thread ends. */
  async learn(calls: readonly LearnCall[]): Promise<number> {
    const losses = calls.map((call, at) => learnOn(this.#workers[at], call));
    return (await Promise.all(losses)).reduce((sum, loss) => sum + loss, 0);
  }

  end(): void {
    for (const worker of this.#workers) void worker.terminate();
  }
}

function learnOn(worker: Worker | undefined, call: LearnCall): Promise<number> {
  return new Promise((resolve, reject) => {
    if (worker === undefined) return reject(new Error("there are more calls than threads"));
    const ended = () => reject(new Error("a thread that learns has ended"));
    worker.ref();
    worker.once("error", reject);
    worker.once("exit", ended);
    worker.once("message", (loss: number) => {
      worker.unref();
      worker.off("error", reject);
      worker.off("exit", ended);
      resolve(loss);
    });
    tell(worker, { kind: "learn", call });
  });
}

function tell(worker: Worker, message: LearnerMessage): void {
  worker.postMessage(message);
}
