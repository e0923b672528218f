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

  async node(digest: Digest): Promise<Bytes | null> {
    for await (const node of this.#opened.nodes()) if (node.digest === digest) return node.data;
    const isOnly = digest === this.#opened.digest && this.bytes <= chunkBytesMax && this.holds(0);
    return isOnly ? this.#opened.read(0, 1) : null;
  }

  async read(index: number, into: Bytes): Promise<number> {
    const data = await this.#opened.read(index, 1, into).catch(() => this.#readAgain(index, into));
    return data.length;
  }

  onGain(listener: (index: number) => void): () => void {
    return this.#opened.onGain(listener);
  }

  close(): void {
    // Where the store is closed by now, nothing is left to be given back.
    this.#opened.close().catch(() => undefined);
  }

  /** What was being received has become whole since, and lies elsewhere. */
  async #readAgain(index: number, into: Bytes): Promise<Bytes> {
    const opened = await this.#store.open(this.#opened.digest);
    if (opened === null) throw new Error("it is not here any more");
    await this.#opened.close();
    this.#opened = opened;
    return opened.read(index, 1, into);
  }

  get #count(): number {
    return Math.max(1, Math.ceil(this.bytes / chunkBytesMax));
  }

  #chunks(): number[] {
    return Array.from({ length: this.#count }, (_, index) => index);
  }
}
