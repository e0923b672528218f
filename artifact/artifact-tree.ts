/**
 * The tree of one artifact as it becomes known from its root: nodes are taken in as they come, each proved by the one above it, and
 * say the digest of every chunk. Pure; not here: the bytes of chunks, and where nodes come from.
 */
import { bytesPerGiB } from "../protocol/byte-unit.ts";
import {
  bytesOfChild,
  childCapacity,
  childrenMax,
  chunkBytesMax,
  chunkDigest,
  nodeBytes,
  readNode,
  startsAsNode,
  type TreeNode,
} from "./chunk-tree.ts";
import type { Bytes } from "../protocol/bus/bus.ts";
import type { Digest } from "../protocol/id.ts";

/** Nothing larger is taken: its tree alone would fill the memory of whoever looks at it. */
export const artifactBytesMax = 16 * 1024 * bytesPerGiB;
const digestBytes = 32;

/** Where a node stands: its level (1 above the chunks), its number in its level, its length, and where it lies in a file of all nodes. */
export interface NodePlace {
  readonly level: number;
  readonly number: number;
  readonly bytes: number;
  readonly offset: number;
}

/** Nodes by level, from the top; in a file they follow each other so. `bytes`: of the artifact; `level`: of its top. */
export function nodePlaces(bytes: number, level: number): readonly NodePlace[] {
  const places: NodePlace[] = [];
  let offset = 0;
  for (let at = level; at >= 1; at--) {
    const capacity = childCapacity(at + 1);
    const count = Math.max(1, Math.ceil(bytes / capacity));
    for (let number = 0; number < count; number++) {
      const below = Math.min(capacity, bytes - number * capacity);
      const length = nodeBytes(below, at);
      places.push({ level: at, number, bytes: length, offset });
      offset += length;
    }
  }
  return places;
}

/** A node that is wanted next. */
export interface WantedNode extends NodePlace {
  readonly digest: Digest;
}

export class ArtifactTree {
  readonly root: Digest;
  /** Of the artifact; null until its root is known. */
  #bytes: number | null = null;
  /** Digests of the nodes of each level that are known by those above them: 32 bytes each, level 0 for the chunks. */
  #digests: Buffer[] = [];
  /** Nodes whose digest is known and whose bytes are not, by digest. */
  readonly #wanted = new Map<string, WantedNode>();
  /** Nodes that were taken in. */
  readonly #taken = new Set<string>();
  /** Chunks whose digests are known: 1 each. */
  #known: Uint8Array = new Uint8Array(0);
  #places: readonly NodePlace[] = [];

  constructor(root: Digest) {
    this.root = root;
  }

  /** Of an artifact that is one chunk, whose bytes somebody has verified. */
  static ofChunk(digest: Digest, bytes: number): ArtifactTree {
    const tree = new ArtifactTree(digest);
    tree.#takeChunk(bytes);
    return tree;
  }

  get bytes(): number | null {
    return this.#bytes;
  }

  /** 0 until the root is known; an artifact of no bytes is one chunk. */
  get chunkCount(): number {
    return this.#bytes === null ? 0 : Math.max(1, Math.ceil(this.#bytes / chunkBytesMax));
  }

  /** Of all nodes, from the top. */
  get places(): readonly NodePlace[] {
    return this.#places;
  }

  /**
   * Takes in the root: a node, or the only chunk. Null where the bytes are not those of the digest, or are a node that no tree has;
   * `isChunk`: whether they are the artifact itself.
   */
  takeRoot(data: Bytes): { readonly isChunk: boolean } | null {
    if (data.length > chunkBytesMax || chunkDigest(data) !== this.root) return null;
    if (!startsAsNode(data)) {
      this.#takeChunk(data.length);
      return { isChunk: true };
    }
    const node = readNode(data);
    if (node === null || node.bytes > artifactBytesMax) return null;
    // TREE-3: with one child it is no tree, but where the only chunk begins as a node does.
    if (node.children.length === 1 && node.level > 1) return null;
    this.#bytes = node.bytes;
    this.#places = nodePlaces(node.bytes, node.level);
    this.#digests = Array.from({ length: node.level }, (_, level) =>
      Buffer.alloc(digestBytes * Math.max(1, Math.ceil(node.bytes / childCapacity(level + 1)))),
    );
    this.#known = new Uint8Array(this.chunkCount);
    this.#takeChildren(node, 0);
    return { isChunk: false };
  }

  /** Takes in a node that is wanted; false where the bytes are not its own, or not of a tree of this size. */
  takeNode(wanted: WantedNode, data: Bytes): boolean {
    const node = chunkDigest(data) === wanted.digest ? readNode(data) : null;
    if (node === null || node.level !== wanted.level || data.length !== wanted.bytes) return false;
    const capacity = childCapacity(wanted.level + 1);
    if (node.bytes !== Math.min(capacity, (this.#bytes ?? 0) - wanted.number * capacity)) return false;
    this.#wanted.delete(keyOf(wanted));
    this.#takeChildren(node, wanted.number);
    return true;
  }

  /** Nodes that are still to be had, as far as their digests are known. */
  wantedNodes(): Iterable<WantedNode> {
    return this.#wanted.values();
  }

  /** Of a node that is known, or that those above it name. */
  nodeDigest({ level, number }: NodePlace): Digest {
    return level === this.#digests.length ? this.root : this.#digestAt(level, number);
  }

  /** Whether this node was taken in. */
  hasNode(place: NodePlace): boolean {
    return this.#taken.has(keyOf(place));
  }

  /** Whether the digest of this chunk is known. */
  knows(index: number): boolean {
    return this.#known[index] === 1;
  }

  chunk(index: number): Digest {
    if (!this.knows(index)) throw new RangeError(`the digest of chunk ${index} is not known`);
    return this.#digestAt(0, index);
  }

  /** TREE-2, TREE-3: whether these bytes may be a chunk of this tree, beside having its digest. */
  mayBe(data: Bytes): boolean {
    const isOnly = this.chunkCount === 1 && this.#places.length > 0;
    return !isOnly || startsAsNode(data);
  }

  bytesOf(index: number): number {
    return bytesOfChild({ level: 1, bytes: this.#bytes ?? 0 }, index);
  }

  #takeChunk(bytes: number): void {
    this.#bytes = bytes;
    this.#digests = [Buffer.from(this.root, "hex")];
    this.#known = Uint8Array.of(1);
  }

  #digestAt(level: number, number: number): Digest {
    const at = number * digestBytes;
    return (this.#digests[level] ?? Buffer.alloc(0)).subarray(at, at + digestBytes).toString("hex");
  }

  #takeChildren(node: TreeNode, number: number): void {
    this.#taken.add(keyOf({ level: node.level, number }));
    const below = node.level - 1;
    const first = number * childrenMax;
    node.children.forEach((child, index) =>
      this.#digests[below]?.set(Buffer.from(child, "hex"), (first + index) * digestBytes),
    );
    if (below === 0) {
      this.#known.fill(1, first, first + node.children.length);
      return;
    }
    const level = this.#places.filter((place) => place.level === below);
    for (const place of level.slice(first, first + node.children.length)) {
      const wanted = { ...place, digest: this.#digestAt(below, place.number) };
      this.#wanted.set(keyOf(wanted), wanted);
    }
  }
}

function keyOf({ level, number }: Pick<NodePlace, "level" | "number">): string {
  return `${level}/${number}`;
}
