/**
 * From an artifact's digest to the digests of all its chunks, node by node. Not here: where nodes come from.
 *
 * FETCH-3: of what a peer says only what its digest proves is believed: how large an artifact is, too.
 */
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { bytesOfChild, chunkBytesMax, readNode, startsAsNode, type TreeNode } from "../chunk-tree.ts";

const digestBytes = 32;

export interface ArtifactTree {
  readonly bytes: number;
  readonly chunks: number;
  /** 32 bytes for each chunk, in order. */
  readonly digests: Buffer;
  /** The topmost first; none where the artifact is one chunk. */
  readonly nodes: readonly Bytes[];
  /** All bytes of an artifact that is one chunk. */
  readonly only: Bytes | null;
}

/** `get`: the bytes that a digest names, verified. */
export async function readTree(
  artifact: Digest,
  get: (node: Digest) => Promise<Outcome<Bytes>>,
  bytesMax: number,
): Promise<Outcome<ArtifactTree>> {
  const top = await get(artifact);
  if (!top.ok) return top;
  if (!startsAsNode(top.value)) return accept(onlyChunk(artifact, top.value));
  const root = readNode(top.value);
  if (root === null) return malformed(artifact);
  if (root.bytes > bytesMax) return tooLarge(artifact, root.bytes, bytesMax);
  const nodes: Bytes[] = [top.value];
  let row: readonly TreeNode[] = [root];
  for (let level = root.level; level > 1; level--) {
    const below: TreeNode[] = [];
    for (const node of row)
      for (const [index, child] of node.children.entries()) {
        const bytes = await get(child);
        if (!bytes.ok) return bytes;
        const read = readNode(bytes.value);
        // Of a right tree no child can say another size or level.
        if (read === null || read.level !== level - 1 || read.bytes !== bytesOfChild(node, index))
          return malformed(artifact);
        nodes.push(bytes.value);
        below.push(read);
      }
    row = below;
  }
  const digests = Buffer.from(row.flatMap(({ children }) => children).join(""), "hex");
  return accept({
    ...{ bytes: root.bytes, chunks: digests.length / digestBytes },
    ...{ digests, nodes, only: null },
  });
}

/** Bytes of a chunk of an artifact of this size. */
export function bytesOfChunk(bytes: number, index: number): number {
  return Math.min(chunkBytesMax, bytes - index * chunkBytesMax);
}

function onlyChunk(artifact: Digest, data: Bytes): ArtifactTree {
  const digests = Buffer.from(artifact, "hex");
  return { bytes: data.length, chunks: 1, digests, nodes: [], only: data };
}

function malformed(artifact: Digest) {
  return refuse("invalid", `${artifact.slice(0, 12)} is no artifact: its nodes contradict each other`);
}

function tooLarge(artifact: Digest, bytes: number, bytesMax: number) {
  const sizes = `${bytes} bytes, where ${bytesMax} are the most that are taken here`;
  return refuse("invalid", `artifact ${artifact.slice(0, 12)} has ${sizes}`);
}
