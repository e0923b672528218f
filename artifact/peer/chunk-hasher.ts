/**
 * SHA-256 of chunks in a thread of its own, so that a connection goes on being read meanwhile: on a fast network the one takes
 * as long as the other. Only of bytes that threads share (`chunk-buffer.ts`); others are hashed here and now.
 */
import { hash } from "node:crypto";
import { Worker } from "node:worker_threads";
import type { Bytes } from "../../protocol/bus/bus.ts";

export class ChunkHasher {
  #worker: Worker | null = null;
  #isUp = false;
  /** In the order of what it was shown. */
  #waiting: { readonly resolve: (digest: Uint8Array) => void; readonly reject: (error: unknown) => void }[] =
    [];

  /** The bytes are not changed until it resolves. */
  digest(data: Bytes): Promise<Uint8Array> {
    if (!(data.buffer instanceof SharedArrayBuffer)) return Promise.resolve(hash("sha256", data, "buffer"));
    const worker = (this.#worker ??= this.#start());
    // What waited for the thread to come up would be lost where the process is killed meanwhile.
    if (!this.#isUp) return Promise.resolve(hash("sha256", data, "buffer"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      worker.postMessage(data);
    });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
    this.#isUp = false;
  }

  #start(): Worker {
    const worker = new Worker(new URL("./hash-worker.js", import.meta.url));
    worker.unref();
    worker.once("online", () => {
      this.#isUp = true;
    });
    worker.on("message", (digest: Uint8Array) => this.#waiting.shift()?.resolve(digest));
    worker.on("error", (error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      this.#worker = null;
      this.#isUp = false;
    });
    return worker;
  }
}
