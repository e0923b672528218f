/**
 * Which chunks of a file were verified since this process knows it: where somebody asks for some of a large artifact, they are
 * verified as they are read, and not all of it before the first. Not here: reading, and what becomes of what is wrong.
 */
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { ArtifactTree } from "../artifact-tree.ts";
import { chunkBytesMax, chunkDigest } from "../chunk-tree.ts";

export class ChunkCheck {
  readonly tree: ArtifactTree;
  /** Of the file as it was then. */
  readonly identity: string;
  /** Monotonic, ms. */
  readonly at: number;
  readonly #right: Uint8Array;

  constructor(tree: ArtifactTree, identity: string, at: number) {
    this.tree = tree;
    this.identity = identity;
    this.at = at;
    this.#right = new Uint8Array(tree.chunkCount);
  }

  /** What was read from chunk `first` on. The first chunk that is not what its digest names; null where all are. */
  wrong(first: number, count: number, data: Bytes): number | null {
    for (let at = 0; at < count; at++) {
      const index = first + at;
      if (this.#right[index] === 1) continue;
      const chunk = data.subarray(at * chunkBytesMax, (at + 1) * chunkBytesMax);
      if (chunk.length !== this.tree.bytesOf(index) || chunkDigest(chunk) !== this.tree.chunk(index))
        return index;
      this.#right[index] = 1;
    }
    return null;
  }
}
