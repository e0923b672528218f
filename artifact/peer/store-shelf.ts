/** The local store as what other machines ask: chunks of what is whole here, and of what is still being received. */
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import type { ChunkShelf, OpenArtifact } from "../chunk-source.ts";
import { chunkBytesMax } from "../chunk-tree.ts";
import { rangesOf } from "./chunk-range.ts";
import type { Shelf, ShelvedArtifact } from "./shelf.ts";

export function shelfOfStore(store: ChunkShelf): Shelf {
  return {
    open: async (digest) => {
      const opened = await store.open(digest);
      return opened === null ? null : new StoredShelf(store, opened);
    },
  };
}

class StoredShelf implements ShelvedArtifact {
  readonly bytes: number;
  readonly #store: ChunkShelf;
  #opened: OpenArtifact;

  constructor(store: ChunkShelf, opened: OpenArtifact) {
    this.bytes = opened.bytes;
    this.#store = store;
    this.#opened = opened;
  }

  held() {
    return rangesOf(this.#chunks().filter((index) => this.holds(index)));
  }

  holds(index: number): boolean {
    return index < this.#count && this.#opened.has(index);
  }

  node(digest: Digest): Promise<Bytes | null> {
    return this.#reading(async (opened) => {
      for await (const node of opened.nodes()) if (node.digest === digest) return node.data;
      const isOnly = digest === opened.digest && this.bytes <= chunkBytesMax && this.holds(0);
      return isOnly ? opened.read(0, 1) : null;
    });
  }

  async read(index: number, into: Bytes): Promise<number> {
    const data = await this.#reading((opened) => opened.read(index, 1, into));
    return data.length;
  }

  onGain(listener: (index: number) => void): () => void {
    return this.#opened.onGain(listener);
  }

  close(): void {
    // Where the store is closed by now, nothing is left to be given back.
    this.#opened.close().catch(() => undefined);
  }

  /** Once more where that fails: what was being received has become whole since, and lies elsewhere. */
  async #reading<T>(read: (opened: OpenArtifact) => Promise<T>): Promise<T> {
    const before = this.#opened;
    try {
      return await read(before);
    } catch {
      // Another who read meanwhile may have opened it anew already.
      if (this.#opened === before) await this.#openAgain();
      return read(this.#opened);
    }
  }

  async #openAgain(): Promise<void> {
    const before = this.#opened;
    const opened = await this.#store.open(before.digest);
    if (opened === null) throw new Error("it is not here any more");
    if (this.#opened !== before) return opened.close();
    this.#opened = opened;
    await before.close();
  }

  get #count(): number {
    return Math.max(1, Math.ceil(this.bytes / chunkBytesMax));
  }

  #chunks(): number[] {
    return Array.from({ length: this.#count }, (_, index) => index);
  }
}
