/**
 * SHA-256 of chunks in threads of their own, so that a connection goes on being read meanwhile: on a fast network the one takes
 * as long as the other. Only of bytes that threads share (`peer/chunk-buffer.ts`), and only once there are enough of them to be
 * worth a thread; others are hashed here and now. Not here: what a digest is held against.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Bytes } from "../protocol/bus/bus.ts";
import type { Digest } from "../protocol/id.ts";
import { chunkDigest } from "./chunk-tree.ts";

/** A thread takes as long to come up as so many chunks take to be hashed. */
const inlineChunks = 32;
/** Three keep up with what one connection can decrypt. */
const threadsMax = 3;

/** What a thread is shown: the memory that chunks lie in from now on, or where the next one lies in it. */
export type HashOrder =
  | { readonly memory: SharedArrayBuffer }
  | { readonly at: number; readonly bytes: number };

export class ChunkHasher {
  /** The reader has a core of its own where there is one. */
  readonly #count = Math.max(1, Math.min(threadsMax, availableParallelism() - 1));
  #threads: HashThread[] = [];
  #shown = 0;
  #isClosed = false;

  /** The bytes are not changed until it resolves. */
  digest(data: Bytes): Promise<Digest> {
    const { buffer } = data;
    if (!(buffer instanceof SharedArrayBuffer) || this.#isClosed) return Promise.resolve(chunkDigest(data));
    if (++this.#shown === inlineChunks)
      this.#threads = Array.from({ length: this.#count }, () => new HashThread());
    const [first, ...more] = this.#threads.filter((thread) => thread.isUp);
    // What waited for a thread to come up would be lost where the process is killed meanwhile.
    if (first === undefined) return Promise.resolve(chunkDigest(data));
    return more.reduce((one, other) => (other.owed < one.owed ? other : one), first).digest(data, buffer);
  }

  /** What waits is answered all the same. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

class HashThread {
  readonly #worker: Worker;
  /** In the order of what it was shown. */
  #waiting: { readonly data: Bytes; readonly resolve: (digest: Digest) => void }[] = [];
  /** What lies in another is shown with it: a thread holds on to one at a time. */
  #memory: SharedArrayBuffer | null = null;
  isUp = false;

  constructor() {
    this.#worker = new Worker(new URL("./hash-worker.js", import.meta.url));
    this.#worker.unref();
    this.#worker.once("online", () => {
      this.isUp = true;
    });
    this.#worker.on("message", (digest: Digest) => this.#waiting.shift()?.resolve(digest));
    this.#worker.on("error", () => this.#over());
    this.#worker.on("exit", () => this.#over());
  }

  get owed(): number {
    return this.#waiting.length;
  }

  digest(data: Bytes, memory: SharedArrayBuffer): Promise<Digest> {
    if (memory !== this.#memory) this.#show({ memory });
    this.#memory = memory;
    return new Promise((resolve) => {
      this.#waiting.push({ data, resolve });
      this.#show({ at: data.byteOffset, bytes: data.length });
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #show(order: HashOrder): void {
    this.#worker.postMessage(order);
  }

  /** No more is answered there. */
  #over(): void {
    this.isUp = false;
    for (const { data, resolve } of this.#waiting.splice(0)) resolve(chunkDigest(data));
  }
}
