/** An artifact that is still being brought, for others who want of it what is here already. */
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import type { OpenArtifact } from "../chunk-source.ts";
import { chunkDigest, type NamedChunk } from "../chunk-tree.ts";
import type { PartFile } from "./part-file.ts";

export class PartReader implements OpenArtifact {
  readonly isWhole = false;
  readonly digest: Digest;
  readonly bytes: number;
  readonly #part: PartFile;

  constructor(part: PartFile) {
    this.#part = part;
    this.digest = part.artifact;
    this.bytes = part.bytes ?? 0;
  }

  /** Those that are here. */
  nodes(): AsyncIterable<NamedChunk> {
    return this.#part.nodes();
  }

  has(index: number): boolean {
    return this.#part.has(index);
  }

  read(first: number, count: number, into?: Bytes): Promise<Bytes> {
    return this.#part.read(first, count, into);
  }

  onGain(listener: (index: number) => void): () => void {
    return this.#part.onGain(listener);
  }

  async doubt(index: number): Promise<void> {
    if (!this.has(index)) return;
    if (chunkDigest(await this.read(index, 1)) !== this.#part.tree.chunk(index)) this.#part.lose(index);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
