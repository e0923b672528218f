/**
 * How an artifact of any size is named by one digest, so that each part of it can be verified alone: chunks of 1 MiB, and above
 * them nodes that list the digests of what lies below. A node is itself a chunk, named by its SHA-256 as every other. Pure; not
 * here: where chunks lie (the stores) and how they travel.
 *
 * TREE-1: an artifact of one chunk is that chunk, so its digest is the SHA-256 of its bytes.
 * TREE-2: bytes that begin as a node does are never the chunk of a one-chunk artifact: they get a node above them, so a digest
 * alone tells what it names.
 * TREE-3: one sequence of bytes has one tree.
 *
 * A node: 16 bytes of `nodeMark`, 1 of its level (1 above the chunks of the artifact), 7 of zero, 8 of the size of all that
 * lies below it (big-endian, bytes), then 32 for each child, in order.
 */
import { hash } from "node:crypto";
import { bytesPerMiB } from "../protocol/byte-unit.ts";
import type { Bytes } from "../protocol/bus/bus.ts";
import type { Digest } from "../protocol/id.ts";

/** Bytes of every chunk but the last of an artifact, and the most that a node has. */
export const chunkBytesMax = bytesPerMiB;
export const nodeMark: Bytes = new TextEncoder().encode("trialmesh-tree-1");
const headBytes = 32;
const digestBytes = 32;
/** A full node has exactly `chunkBytesMax` bytes. */
export const childrenMax = (chunkBytesMax - headBytes) / digestBytes;
/** Above it nothing fits a whole number of bytes: 2 levels hold 1 PiB. */
const levelMax = 3;

export interface TreeNode {
  readonly level: number;
  /** Of the artifact's own bytes below this node. */
  readonly bytes: number;
  readonly children: readonly Digest[];
}

export interface NamedChunk {
  readonly digest: Digest;
  readonly data: Bytes;
}

/** The digest of one chunk. */
export function chunkDigest(data: Bytes): Digest {
  return hash("sha256", data);
}

/** TREE-2: whether these bytes, or bytes that begin so, are taken for a node. */
export function startsAsNode(data: Bytes): boolean {
  return data.length >= nodeMark.length && nodeMark.every((byte, index) => data[index] === byte);
}

/** Bytes below one child of a node of this level, where the child is full. */
export function childCapacity(level: number): number {
  return chunkBytesMax * childrenMax ** (level - 1);
}

export function writeNode({ bytes, children, level }: TreeNode): Bytes {
  const data = new Uint8Array(headBytes + children.length * digestBytes);
  data.set(nodeMark);
  const view = new DataView(data.buffer);
  view.setUint8(nodeMark.length, level);
  view.setBigUint64(headBytes - 8, BigInt(bytes));
  children.forEach((child, index) => data.set(Buffer.from(child, "hex"), headBytes + index * digestBytes));
  return data;
}

/** Bytes of a node of this level with so many bytes of the artifact below it. */
export function nodeBytes(bytes: number, level: number): number {
  return headBytes + digestBytes * Math.max(1, Math.ceil(bytes / childCapacity(level)));
}

/** The bytes of the node that these begin with; null where they begin with none. Whether it is right is `readNode`'s to say. */
export function nodeAtStart(data: Bytes): Bytes | null {
  if (data.length < headBytes || !startsAsNode(data)) return null;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const level = view.getUint8(nodeMark.length);
  const size = view.getBigUint64(headBytes - 8);
  if (level < 1 || level > levelMax || size > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  const bytes = nodeBytes(Number(size), level);
  return bytes > data.length ? null : data.subarray(0, bytes);
}

/** The node in a chunk; null where it is none, or none that `writeNode` makes of a tree. */
export function readNode(data: Bytes): TreeNode | null {
  if (data.length < headBytes + digestBytes || data.length > chunkBytesMax || !startsAsNode(data))
    return null;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const level = view.getUint8(nodeMark.length);
  const size = view.getBigUint64(headBytes - 8);
  const padding = data.subarray(nodeMark.length + 1, headBytes - 8);
  if (level < 1 || level > levelMax || size > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  if (padding.some((byte) => byte !== 0) || (data.length - headBytes) % digestBytes !== 0) return null;
  const bytes = Number(size);
  const count = (data.length - headBytes) / digestBytes;
  if (count !== Math.max(1, Math.ceil(bytes / childCapacity(level)))) return null;
  const children = Array.from({ length: count }, (_, index) => {
    const at = headBytes + index * digestBytes;
    return Buffer.from(data.subarray(at, at + digestBytes)).toString("hex");
  });
  return { level, bytes, children };
}

/** How many bytes lie below child `index` of a node. */
export function bytesOfChild({ bytes, level }: Pick<TreeNode, "bytes" | "level">, index: number): number {
  const each = childCapacity(level);
  return Math.min(each, bytes - index * each);
}

/**
 * Names a stream of bytes: chunks go in, in order; the digest and the nodes come out. It holds 32 bytes for each chunk of
 * the last 32 GiB, never the bytes.
 */
export class TreeHash {
  readonly #levels: Digest[][] = [[]];
  readonly #nodes: NamedChunk[] = [];
  #bytes = 0;
  /** Of the only chunk so far. */
  #first: { readonly isLikeNode: boolean } | null = null;

  /** Every chunk but the last has `chunkBytesMax` bytes. Returns its digest. */
  add(chunk: Bytes): Digest {
    const digest = chunkDigest(chunk);
    this.addNamed(digest, chunk.length, startsAsNode(chunk));
    return digest;
  }

  /** As `add`, of a chunk that somebody else has hashed. Throws RangeError where the one before was not full. */
  addNamed(digest: Digest, bytes: number, isLikeNode: boolean): void {
    const isAfterShort = this.#first !== null && (this.#bytes === 0 || this.#bytes % chunkBytesMax !== 0);
    if (isAfterShort || bytes > chunkBytesMax || (bytes === 0 && this.#first !== null))
      throw new RangeError("only the last chunk may be shorter than the others");
    this.#first ??= { isLikeNode };
    this.#bytes += bytes;
    this.#push(0, digest);
  }

  /** No more chunks. An artifact of no bytes is one empty chunk. */
  end(): { readonly digest: Digest; readonly bytes: number; readonly nodes: readonly NamedChunk[] } {
    if (this.#first === null) this.add(new Uint8Array(0));
    const [only] = this.#levels[0] ?? [];
    if (only !== undefined && this.#bytes <= chunkBytesMax && this.#first?.isLikeNode === false)
      return { digest: only, bytes: this.#bytes, nodes: [] };
    // Rows are folded when one more comes than they hold, so none of them is empty here.
    for (let level = 0; ; level++) {
      const [top, ...more] = this.#levels[level] ?? [];
      const isTop = level > 0 && more.length === 0 && this.#levels.length === level + 1;
      if (isTop && top !== undefined) return { digest: top, bytes: this.#bytes, nodes: this.#nodes };
      this.#fold(level);
    }
  }

  #push(level: number, digest: Digest): void {
    const row = (this.#levels[level] ??= []);
    if (row.length === childrenMax) this.#fold(level);
    (this.#levels[level] ??= []).push(digest);
  }

  /** The open row of a level becomes a node above it. */
  #fold(level: number): void {
    const children = this.#levels[level] ?? [];
    this.#levels[level] = [];
    const before = this.#foldedBytes(level + 1);
    const bytes = Math.min(childCapacity(level + 2), this.#bytes - before);
    const data = writeNode({ level: level + 1, bytes, children });
    const digest = chunkDigest(data);
    this.#nodes.push({ digest, data });
    this.#push(level + 1, digest);
  }

  /** Bytes below the finished nodes of this level and above. */
  #foldedBytes(level: number): number {
    let sum = 0;
    for (let above = level; above < this.#levels.length; above++)
      sum += (this.#levels[above]?.length ?? 0) * childCapacity(above + 1);
    return sum;
  }
}
