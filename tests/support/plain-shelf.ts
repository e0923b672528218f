/**
 * Artifacts as plain files in one folder, for tests of the transfer: DIGEST is whole, DIGEST.part is being
 * received, DIGEST.nodes are its nodes. Not the store of a machine: no index, no quota, and what is there is read again to be known.
 */
import { existsSync, readFileSync } from "node:fs";
import { open, readFile, rename, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { chunkBytesMax, chunkDigest, readNode, TreeHash } from "../../artifact/chunk-tree.ts";
import { rangesOf, type ChunkRange } from "../../artifact/peer/chunk-range.ts";
import { bytesOfChunk, readTree, type ArtifactTree } from "../../artifact/peer/read-tree.ts";
import type { ArtifactDraft, DraftPlace, Shelf, ShelvedArtifact } from "../../artifact/peer/shelf.ts";
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { valueOf } from "../../bench/shared/value-of.ts";

/** One artifact of the folder, whole or not. */
class PlainArtifact {
  readonly tree: ArtifactTree;
  readonly file: FileHandle;
  readonly holds: Uint8Array;
  readonly listeners = new Set<(index: number) => void>();
  readonly byDigest: ReadonlyMap<Digest, Bytes>;

  constructor(tree: ArtifactTree, file: FileHandle) {
    this.tree = tree;
    this.file = file;
    this.holds = new Uint8Array(tree.chunks);
    this.byDigest = new Map(tree.nodes.map((node) => [chunkDigest(node), node]));
  }

  async write(index: number, data: Bytes): Promise<void> {
    await this.file.write(data, 0, data.length, index * chunkBytesMax);
  }

  close(): Promise<void> {
    return this.file.close();
  }

  held(): readonly ChunkRange[] {
    return rangesOf([...this.holds.keys()].filter((index) => this.holds[index] === 1));
  }

  gain(index: number): void {
    this.holds[index] = 1;
    for (const listener of this.listeners) listener(index);
  }
}

export class PlainShelf implements Shelf, DraftPlace {
  readonly folder: string;
  readonly #open = new Map<Digest, Promise<PlainArtifact>>();
  /** Bytes of chunks that were written, this time. */
  writtenBytes = 0;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Names what a stream gives and keeps it; pieces of 1 MiB, but for the last. */
  async add(pieces: Iterable<Bytes>): Promise<Digest> {
    const tree = new TreeHash();
    const path = join(this.folder, `new-${process.pid}`);
    const file = await open(path, "w+");
    for (const piece of pieces) {
      tree.add(piece);
      await file.write(piece);
    }
    await file.close();
    const { digest, nodes } = tree.end();
    await rename(path, join(this.folder, digest));
    await this.#keepNodes(
      digest,
      nodes.map(({ data }) => data),
    );
    return digest;
  }

  async open(artifact: Digest): Promise<ShelvedArtifact | null> {
    const found = await this.#find(artifact);
    if (found === null) return null;
    const { file, tree } = found;
    return {
      bytes: tree.bytes,
      held: () => found.held(),
      holds: (index) => found.holds[index] === 1,
      node: (digest) => this.#nodeOf(found, artifact, digest),
      read: async (index, into) => {
        const bytes = bytesOfChunk(tree.bytes, index);
        const { bytesRead } = await file.read(into, 0, bytes, index * chunkBytesMax);
        if (bytesRead !== bytes) throw new Error(`chunk ${index} has ${bytesRead} bytes instead of ${bytes}`);
        return bytes;
      },
      onGain: (listener) => {
        found.listeners.add(listener);
        return () => found.listeners.delete(listener);
      },
      close: () => {},
    };
  }

  node(artifact: Digest, node: Digest): Promise<Bytes | null> {
    const nodes = this.#nodes(artifact);
    return Promise.resolve(nodes.find((bytes) => chunkDigest(bytes) === node) ?? null);
  }

  async begin(artifact: Digest, bytes: number, nodes: readonly Bytes[]): Promise<Outcome<ArtifactDraft>> {
    if (existsSync(join(this.folder, artifact))) return refuse("conflict", "it is here");
    const path = join(this.folder, `${artifact}.part`);
    await this.#keepNodes(artifact, nodes);
    if (!existsSync(path)) await writeFile(path, "");
    const part = await (this.#open.get(artifact) ?? this.#load(artifact, path, bytes));
    return accept({
      held: () => part.held(),
      give: async (index, data) => {
        const digest = part.tree.digests.subarray(index * 32, index * 32 + 32).toString("hex");
        if (chunkDigest(data) !== digest) return false;
        await part.write(index, data);
        this.writtenBytes += data.length;
        part.gain(index);
        return true;
      },
      finish: () => rename(path, join(this.folder, artifact)),
      close: () => Promise.resolve(),
    });
  }

  async close(): Promise<void> {
    for (const opened of this.#open.values()) await (await opened).close();
    this.#open.clear();
  }

  #find(artifact: Digest): Promise<PlainArtifact> | null {
    const known = this.#open.get(artifact);
    if (known !== undefined) return known;
    const path = join(this.folder, artifact);
    if (existsSync(path)) return this.#load(artifact, path, null);
    return existsSync(`${path}.part`) ? this.#load(artifact, `${path}.part`, null) : null;
  }

  #load(artifact: Digest, path: string, bytes: number | null): Promise<PlainArtifact> {
    const loading = this.#read(artifact, path, bytes);
    this.#open.set(artifact, loading);
    return loading;
  }

  /** What is whole is believed, and of what is not each chunk is read. */
  async #read(artifact: Digest, path: string, bytes: number | null): Promise<PlainArtifact> {
    const file = await open(path, "r+");
    const found = new PlainArtifact(await this.#tree(artifact, path, bytes), file);
    if (path.endsWith(".part")) await this.#readAgain(found);
    else found.holds.fill(1);
    return found;
  }

  async #readAgain({ file, holds, tree }: PlainArtifact): Promise<void> {
    const room = Buffer.alloc(chunkBytesMax);
    for (let index = 0; index < tree.chunks; index++) {
      const { bytesRead } = await file.read(room, 0, bytesOfChunk(tree.bytes, index), index * chunkBytesMax);
      const digest = tree.digests.subarray(index * 32, index * 32 + 32).toString("hex");
      if (chunkDigest(room.subarray(0, bytesRead)) === digest) holds[index] = 1;
    }
  }

  async #tree(artifact: Digest, path: string, bytes: number | null): Promise<ArtifactTree> {
    const nodes = this.#nodes(artifact);
    if (nodes.length === 0) {
      const data = await readFile(path);
      const size = bytes ?? data.length;
      const digests = Buffer.from(artifact, "hex");
      return { bytes: size, chunks: 1, digests, nodes: [], only: data };
    }
    const get = async (node: Digest): Promise<Outcome<Bytes>> => {
      const found = await this.node(artifact, node);
      return found === null ? refuse("unknown", "a node is missing") : accept(found);
    };
    return valueOf(await readTree(artifact, get, Number.MAX_SAFE_INTEGER));
  }

  async #nodeOf(found: PlainArtifact, artifact: Digest, node: Digest): Promise<Bytes | null> {
    if (node !== artifact || found.tree.nodes.length > 0) return found.byDigest.get(node) ?? null;
    const data = await readFile(join(this.folder, artifact)).catch(() => null);
    return data === null || readNode(data) !== null ? null : data;
  }

  #nodes(artifact: Digest): Bytes[] {
    const path = join(this.folder, `${artifact}.nodes`);
    if (!existsSync(path)) return [];
    const all = readFileSync(path);
    const nodes: Bytes[] = [];
    for (let at = 0; at < all.length;) {
      const length = all.readUInt32BE(at);
      nodes.push(all.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    return nodes;
  }

  async #keepNodes(artifact: Digest, nodes: readonly Bytes[]): Promise<void> {
    if (nodes.length === 0) return;
    const parts = nodes.flatMap((node) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(node.length);
      return [length, node];
    });
    await writeFile(join(this.folder, `${artifact}.nodes`), Buffer.concat(parts));
  }
}
