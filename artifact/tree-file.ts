/** The nodes of an artifact in a file beside it, from the top, level by level: read back only as far as they prove each other. */
import { open, type FileHandle } from "node:fs/promises";
import { ArtifactTree } from "./artifact-tree.ts";
import { chunkBytesMax, nodeAtStart, type NamedChunk } from "./chunk-tree.ts";
import type { Digest } from "../protocol/id.ts";
import type { Bytes } from "../protocol/bus/bus.ts";
import { systemCode } from "../system/system-error.ts";

/**
 * Fills the tree with what the file holds of it. Null where there is no file, false where it does not hold the root; nodes that are
 * missing or wrong are the tree's wanted ones. Throws the system's error.
 */
export async function readTreeFile(path: string, tree: ArtifactTree): Promise<boolean | null> {
  const file = await openIfThere(path);
  if (file === null) return null;
  try {
    const head = await readAt(file, 0, chunkBytesMax);
    // The root's length is said by what it holds; what follows it in the file is no part of it.
    const root = nodeAtStart(head);
    if (root === null || tree.takeRoot(root) === null) return false;
    for (let wanted = [...tree.wantedNodes()]; wanted.length > 0;) {
      let taken = 0;
      for (const node of wanted)
        if (tree.takeNode(node, await readAt(file, node.offset, node.bytes))) taken++;
      wanted = taken === 0 ? [] : [...tree.wantedNodes()];
    }
    return true;
  } finally {
    await file.close();
  }
}

/** The tree of nodes that were made of its bytes. Throws RangeError where they are not all of its nodes. */
function treeOf(root: Digest, nodes: readonly NamedChunk[]): ArtifactTree {
  const byDigest = new Map(nodes.map(({ data, digest }) => [digest, data]));
  const tree = new ArtifactTree(root);
  const top = byDigest.get(root);
  if (top === undefined || tree.takeRoot(top) === null)
    throw new RangeError(`no node has the digest ${root}`);
  for (let wanted = [...tree.wantedNodes()]; wanted.length > 0; wanted = [...tree.wantedNodes()]) {
    for (const node of wanted) {
      const data = byDigest.get(node.digest);
      if (data === undefined || !tree.takeNode(node, data))
        throw new RangeError(`no node has the digest ${node.digest}`);
    }
  }
  return tree;
}

/** As `treeOf`; without nodes it is one chunk, whose bytes somebody has verified. */
export function treeOfName(root: Digest, bytes: number, nodes: readonly NamedChunk[]): ArtifactTree {
  return nodes.length === 0 ? ArtifactTree.ofChunk(root, bytes) : treeOf(root, nodes);
}

/** The bytes of a file of these nodes. */
export function nodesInOrder(tree: ArtifactTree, nodes: readonly NamedChunk[]): Bytes {
  const byDigest = new Map(nodes.map(({ data, digest }) => [digest, data]));
  return Buffer.concat(tree.places.map((place) => byDigest.get(tree.nodeDigest(place)) ?? new Uint8Array(0)));
}

/** The nodes that the tree has, as they lie in its file. Throws the system's error. */
export async function* nodesInFile(path: string, tree: ArtifactTree): AsyncIterable<NamedChunk> {
  if (tree.places.length === 0) return;
  const file = await open(path, "r");
  try {
    yield* nodesIn(file, tree);
  } finally {
    await file.close();
  }
}

/** As `nodesInFile`, of a file that is open and stays so. */
export async function* nodesIn(file: FileHandle, tree: ArtifactTree): AsyncIterable<NamedChunk> {
  for (const place of tree.places)
    if (tree.hasNode(place))
      yield { digest: tree.nodeDigest(place), data: await readAt(file, place.offset, place.bytes) };
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw error;
  }
}

/** Fewer bytes at the end of the file. */
async function readAt(file: FileHandle, position: number, bytes: number): Promise<Bytes> {
  const buffer = Buffer.allocUnsafe(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, position);
  return buffer.subarray(0, bytesRead);
}
