/** A whole artifact of the local store, open for whoever asks for its chunks. */
import { open, type FileHandle } from "node:fs/promises";
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import type { ArtifactTree } from "../artifact-tree.ts";
import type { OpenArtifact } from "../chunk-source.ts";
import { chunkBytesMax, chunkDigest, type NamedChunk } from "../chunk-tree.ts";
import { nodesInFile } from "../tree-file.ts";

export interface StoredFileOptions {
  readonly path: string;
  readonly nodes: string;
  readonly tree: ArtifactTree;
  /** A chunk of it is not what it was. */
  readonly onDamage: () => void;
  readonly onClose: () => void;
}

export class StoredFile implements OpenArtifact {
  readonly isWhole = true;
  readonly digest: Digest;
  readonly bytes: number;
  readonly #file: FileHandle;
  readonly #options: StoredFileOptions;
  #closed = false;

  private constructor(file: FileHandle, options: StoredFileOptions) {
    this.#file = file;
    this.#options = options;
    this.digest = options.tree.root;
    this.bytes = options.tree.bytes ?? 0;
  }

  /** Throws the system's error. */
  static async open(options: StoredFileOptions): Promise<StoredFile> {
    return new StoredFile(await open(options.path, "r"), options);
  }

  get tree(): ArtifactTree {
    return this.#options.tree;
  }

  nodes(): AsyncIterable<NamedChunk> {
    return nodesInFile(this.#options.nodes, this.#options.tree);
  }

  has(index: number): boolean {
    return index >= 0 && index < this.#options.tree.chunkCount;
  }

  async read(first: number, count: number, into?: Bytes): Promise<Bytes> {
    const start = first * chunkBytesMax;
    const bytes = Math.min(count * chunkBytesMax, this.bytes - start);
    if (first < 0 || count < 1 || bytes < 0) throw new RangeError(`${this.digest} has no chunk ${first}`);
    const buffer = into?.subarray(0, bytes) ?? Buffer.allocUnsafe(bytes);
    for (let filled = 0; filled < bytes;) {
      const { bytesRead } = await this.#file.read(buffer, filled, bytes - filled, start + filled);
      // Cut off: the receiver finds what is missing, and `doubt` does here.
      if (bytesRead === 0) return buffer.subarray(0, filled);
      filled += bytesRead;
    }
    return buffer;
  }

  /** It has all. */
  onGain(): () => void {
    return () => undefined;
  }

  /** The digest of chunk `index`. */
  chunk(index: number): Digest {
    return this.#options.tree.chunk(index);
  }

  /** The first chunk of this digest; null where it has none. */
  find(digest: Digest): number | null {
    const { tree } = this.#options;
    for (let index = 0; index < tree.chunkCount; index++) if (tree.chunk(index) === digest) return index;
    return null;
  }

  async doubt(index: number): Promise<void> {
    if (!this.has(index)) return;
    const data = await this.read(index, 1);
    if (chunkDigest(data) !== this.chunk(index)) this.#options.onDamage();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close();
    this.#options.onClose();
  }
}
