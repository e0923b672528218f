/**
 * An artifact that is being brought: a file with room for all of it, and beside it one of its nodes. Chunks come in any order, each is
 * verified before it counts. What an earlier run left is read again and counts where it is right, so nothing has to be believed of how
 * that run ended. Not here: where it lies once it is whole, and who brings the chunks.
 */
import { open, rm, statfs, type FileHandle } from "node:fs/promises";
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import { formatBytes } from "../../text/figure.ts";
import { ChunkHasher } from "../chunk-hasher.ts";
import { ArtifactTree, type WantedNode } from "../artifact-tree.ts";
import type { ChunkWork, TakeOptions, WantedChunk } from "../chunk-source.ts";
import { chunkBytesMax, chunkDigest, type NamedChunk } from "../chunk-tree.ts";
import { nodesIn, readTreeFile } from "../tree-file.ts";
import { PartWriter, writeAll } from "./part-writer.ts";

const ownerOnlyMode = 0o600;
const state = { missing: 0, taken: 1, here: 2 } as const;
/** Files of an earlier run are read so many chunks at once. */
const readChunks = 4;

export interface PartPlace {
  readonly digest: Digest;
  readonly file: string;
  /** Of its nodes; never made for an artifact of one chunk. */
  readonly nodes: string;
}

/** Why it cannot be brought at all, whoever brings it: a sentence. */
export class PartError extends Error {}

export class PartFile implements ChunkWork {
  readonly #place: PartPlace;
  readonly #tree: ArtifactTree;
  readonly #taken = new Set<Digest>();
  readonly #hasher = new ChunkHasher();
  readonly #gainers = new Set<(index: number) => void>();
  #file: FileHandle | null = null;
  #writer: PartWriter | null = null;
  #nodes: FileHandle | null = null;
  /** One `state` for each chunk, once the root is known. */
  #chunks: Uint8Array = new Uint8Array(0);
  #missing = 0;
  /** Every chunk before this one is here or taken. */
  #cursor = 0;
  /** Bytes that are here and verified. */
  #bytesHere = 0;
  #over: "whole" | "failed" | null = null;
  #change = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<void>();

  private constructor(place: PartPlace) {
    this.#place = place;
    this.#tree = new ArtifactTree(place.digest);
    this.#end.promise.catch(() => undefined);
  }

  /** With all that an earlier run left and that is right. Throws the system's error. */
  static async open(place: PartPlace): Promise<PartFile> {
    const part = new PartFile(place);
    try {
      await part.#resume();
    } catch (error) {
      await part.close();
      throw error;
    }
    return part;
  }

  get artifact(): Digest {
    return this.#place.digest;
  }

  get bytes(): number | null {
    return this.#tree.bytes;
  }

  get bytesHere(): number {
    return this.#bytesHere;
  }

  get tree(): ArtifactTree {
    return this.#tree;
  }

  /** Whole, or given up. */
  get isOver(): boolean {
    return this.#over !== null;
  }

  get isWhole(): boolean {
    return this.#over === "whole";
  }

  has(index: number): boolean {
    return this.#chunks[index] === state.here;
  }

  /** Resolves when all of it is here; rejects with what the disk threw, a PartError, or the reason of `fail`. */
  whole(): Promise<void> {
    return this.#end.promise;
  }

  take({ countMax, from = 0, has = () => true }: TakeOptions): readonly WantedChunk[] | null {
    if (this.#over !== null) return null;
    if (this.bytes === null) return this.#takeRoot();
    const taken: WantedChunk[] = [];
    for (const { bytes, digest } of this.#tree.wantedNodes()) {
      if (taken.length >= countMax) break;
      if (this.#taken.has(digest)) continue;
      this.#taken.add(digest);
      taken.push({ digest, bytes, index: null });
    }
    const count = this.#chunks.length;
    const first = Math.max(0, Math.min(from, count - 1));
    for (let step = 0; step < count && taken.length < countMax; step++) {
      let index = first + step;
      if (index >= count) index -= count;
      if (index < this.#cursor) {
        step += this.#cursor - index - 1;
        continue;
      }
      if (this.#chunks[index] !== state.missing || !this.#tree.knows(index) || !has(index)) continue;
      this.#chunks[index] = state.taken;
      taken.push({ digest: this.#tree.chunk(index), bytes: this.#tree.bytesOf(index), index });
    }
    while (this.#cursor < count && this.#chunks[this.#cursor] !== state.missing) this.#cursor++;
    return taken;
  }

  #takeRoot(): readonly WantedChunk[] {
    const digest = this.artifact;
    if (this.#taken.has(digest)) return [];
    this.#taken.add(digest);
    return [{ digest, bytes: null, index: null }];
  }

  async give(chunk: WantedChunk, data: Bytes): Promise<boolean> {
    if (this.#over !== null) return true;
    try {
      if (this.bytes === null) return await this.#giveRoot(chunk, data);
      if (chunk.index === null) return await this.#giveNode(chunk, data);
      return await this.#giveChunk(chunk, chunk.index, data);
    } catch (error) {
      this.fail(error);
      return true;
    }
  }

  putBack(chunks: readonly WantedChunk[]): void {
    for (const { digest, index } of chunks) {
      if (index === null) this.#taken.delete(digest);
      else if (this.#chunks[index] === state.taken) {
        this.#chunks[index] = state.missing;
        this.#cursor = Math.min(this.#cursor, index);
      }
    }
    this.#changed();
  }

  changed(): Promise<void> {
    return this.#over === null ? this.#change.promise : Promise.resolve();
  }

  /** Hears of each chunk that is here from now on; returns its end. */
  onGain(listener: (index: number) => void): () => void {
    this.#gainers.add(listener);
    return () => this.#gainers.delete(listener);
  }

  /** Nothing more is wanted. What is here stays for a later run. */
  fail(error: unknown): void {
    if (this.#over !== null) return;
    this.#over = "failed";
    this.#end.reject(error);
    this.#changed();
  }

  /** The file stays. */
  async close(): Promise<void> {
    this.fail(new PartError("it was given up"));
    const [file, nodes, writer] = [this.#file, this.#nodes, this.#writer];
    this.#file = this.#nodes = this.#writer = null;
    this.#gainers.clear();
    await this.#hasher.close();
    await writer?.close();
    await file?.close();
    await nodes?.close();
  }

  async read(first: number, count: number, into?: Bytes): Promise<Bytes> {
    const bytes = Math.min(count * chunkBytesMax, (this.bytes ?? 0) - first * chunkBytesMax);
    if (this.#file === null || bytes < 0) throw new RangeError("nothing of it lies there");
    const buffer = into?.subarray(0, bytes) ?? Buffer.allocUnsafe(bytes);
    const { bytesRead } = await this.#file.read(buffer, 0, bytes, first * chunkBytesMax);
    return buffer.subarray(0, bytesRead);
  }

  /** Those that are here; read from the open file, which may be moved to where it lies whole meanwhile. Throws once it is closed. */
  async *nodes(): AsyncIterable<NamedChunk> {
    if (this.#tree.places.length === 0) return;
    if (this.#nodes === null) throw new RangeError("nothing of it lies there");
    yield* nodesIn(this.#nodes, this.#tree);
  }

  /** It was here and is not what it was: to be had again. */
  lose(index: number): void {
    if (!this.has(index) || this.#over !== null) return;
    this.#chunks[index] = state.missing;
    this.#missing++;
    this.#cursor = Math.min(this.#cursor, index);
    this.#bytesHere -= this.#tree.bytesOf(index);
    this.#changed();
  }

  #changed(): void {
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers();
    resolve();
  }

  async #giveRoot(chunk: WantedChunk, data: Bytes): Promise<boolean> {
    const root = chunk.digest === this.artifact ? this.#tree.takeRoot(data) : null;
    this.#taken.delete(chunk.digest);
    if (root === null) {
      this.#changed();
      return false;
    }
    await this.#begin();
    if (root.isChunk) await this.#write(0, data);
    else await this.#nodeFile().then((file) => writeAll(file, data, 0));
    this.#endIfWhole();
    this.#changed();
    return true;
  }

  async #giveNode({ digest }: WantedChunk, data: Bytes): Promise<boolean> {
    const [wanted, ...same] = [...this.#tree.wantedNodes()].filter((node) => node.digest === digest);
    this.#taken.delete(digest);
    if (wanted === undefined) return true;
    // Equal nodes stand in one tree where its bytes repeat.
    for (const node of [wanted, ...same]) if (!(await this.#takeNode(node, data))) return false;
    this.#changed();
    return true;
  }

  async #takeNode(node: WantedNode, data: Bytes): Promise<boolean> {
    if (!this.#tree.takeNode(node, data)) {
      this.#changed();
      return false;
    }
    await writeAll(await this.#nodeFile(), data, node.offset);
    return true;
  }

  async #giveChunk(chunk: WantedChunk, index: number, data: Bytes): Promise<boolean> {
    if (this.has(index)) return true;
    const digest = await this.#hasher.digest(data);
    if (digest !== this.#tree.chunk(index) || !this.#tree.mayBe(data)) {
      this.putBack([chunk]);
      return false;
    }
    await this.#write(index, data);
    this.#endIfWhole();
    return true;
  }

  async #write(index: number, data: Bytes): Promise<void> {
    if (this.#writer === null) return;
    await this.#writer.write(data, index * chunkBytesMax);
    this.#count(index);
  }

  #count(index: number): void {
    if (this.#chunks[index] === state.here) return;
    this.#chunks[index] = state.here;
    this.#missing--;
    this.#bytesHere += this.#tree.bytesOf(index);
    for (const listener of this.#gainers) listener(index);
  }

  #endIfWhole(): void {
    if (this.#missing > 0 || this.#over !== null) return;
    this.#over = "whole";
    this.#end.resolve();
    this.#changed();
  }

  /** The root is known: room is made. */
  async #begin(): Promise<void> {
    const bytes = this.bytes ?? 0;
    this.#chunks = new Uint8Array(this.#tree.chunkCount);
    this.#missing = this.#chunks.length;
    this.#file ??= await openToWrite(this.#place.file);
    this.#writer ??= new PartWriter(this.#place.file, this.#file);
    const { blocks, size } = await this.#file.stat();
    const { bavail, bsize } = await statfs(this.#place.file);
    const needed = bytes - blocks * 512;
    if (needed > bavail * bsize) {
      const free = formatBytes(bavail * bsize);
      throw new PartError(
        `it has ${formatBytes(bytes)}, and ${free} is free on the disk of ${this.#place.file}`,
      );
    }
    if (size !== bytes) await this.#file.truncate(bytes);
  }

  async #nodeFile(): Promise<FileHandle> {
    return (this.#nodes ??= await openToWrite(this.#place.nodes));
  }

  async #resume(): Promise<void> {
    const nodes = await readTreeFile(this.#place.nodes, this.#tree);
    if (nodes === null) return;
    if (!nodes) return rm(this.#place.nodes, { force: true });
    await this.#begin();
    await this.#nodeFile();
    const window = Buffer.allocUnsafeSlow(readChunks * chunkBytesMax);
    for (let first = 0; first < this.#chunks.length; first += readChunks) {
      const bytes = await this.read(first, readChunks, window);
      for (let at = 0; at * chunkBytesMax < bytes.length; at++) {
        const index = first + at;
        const data = bytes.subarray(at * chunkBytesMax, (at + 1) * chunkBytesMax);
        if (!this.#tree.knows(index) || data.length !== this.#tree.bytesOf(index)) continue;
        if (chunkDigest(data) === this.#tree.chunk(index) && this.#tree.mayBe(data)) this.#count(index);
      }
    }
    this.#endIfWhole();
  }
}

async function openToWrite(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r+");
  } catch {
    return open(path, "w+", ownerOnlyMode);
  }
}
