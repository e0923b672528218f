/** The local store as what other machines ask: chunks of what is whole here, and of what is still being received. */
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { ChunkShelf, OpenArtifact } from "../chunk-source.ts";
import { chunkBytesMax } from "../chunk-tree.ts";
import { rangesOf } from "./chunk-range.ts";
import type { Shelf, ShelvedArtifact } from "./shelf.ts";

/** What is being received is looked at this often for what has come, ms. */
const lookMs = 50;

export function shelfOfStore(store: ChunkShelf, clock: Clock): Shelf {
  return {
    open: async (digest) => {
      const opened = await store.open(digest);
      return opened === null ? null : new StoredShelf(store, opened, clock);
    },
  };
}

class StoredShelf implements ShelvedArtifact {
  readonly bytes: number;
  readonly #store: ChunkShelf;
  readonly #clock: Clock;
  #opened: OpenArtifact;

  constructor(store: ChunkShelf, opened: OpenArtifact, clock: Clock) {
    this.bytes = opened.bytes;
    this.#store = store;
    this.#clock = clock;
    this.#opened = opened;
  }

  held() {
    return rangesOf(this.#chunks().filter((index) => this.holds(index)));
  }

  holds(index: number): boolean {
    return index < this.#count && this.#opened.has(index);
  }

  async node(digest: Digest): Promise<Bytes | null> {
    for await (const node of this.#opened.nodes()) if (node.digest === digest) return node.data;
    const isOnly = digest === this.#opened.digest && this.bytes <= chunkBytesMax && this.holds(0);
    return isOnly ? this.#opened.read(0, 1) : null;
  }

  async read(index: number, into: Bytes): Promise<number> {
    const data = await this.#opened.read(index, 1).catch(() => this.#readAgain(index));
    into.set(data);
    return data.length;
  }

  onGain(listener: (index: number) => void): () => void {
    if (this.#opened.isWhole) return () => {};
    const missing = new Set(this.#chunks().filter((index) => !this.holds(index)));
    const look = () => {
      for (const index of missing)
        if (this.holds(index)) {
          missing.delete(index);
          listener(index);
        }
      if (missing.size > 0) stop = this.#clock.setTimer(lookMs, look);
    };
    let stop = this.#clock.setTimer(lookMs, look);
    return () => stop();
  }

  close(): void {
    // Where the store is closed by now, nothing is left to be given back.
    this.#opened.close().catch(() => undefined);
  }

  /** What was being received has become whole since, and lies elsewhere. */
  async #readAgain(index: number): Promise<Bytes> {
    const opened = await this.#store.open(this.#opened.digest);
    if (opened === null) throw new Error("it is not here any more");
    await this.#opened.close();
    this.#opened = opened;
    return opened.read(index, 1);
  }

  get #count(): number {
    return Math.max(1, Math.ceil(this.bytes / chunkBytesMax));
  }

  #chunks(): number[] {
    return Array.from({ length: this.#count }, (_, index) => index);
  }
}
