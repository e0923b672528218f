/** Reads all of an artifact's file and says whether it is what its digest names, and where not. Changes nothing but a tree's file that is missing. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import type { Digest } from "../../protocol/id.ts";
import { ArtifactTree } from "../artifact-tree.ts";
import { chunkBytesMax, chunkDigest, TreeHash } from "../chunk-tree.ts";
import { chunksOfFile } from "../name-artifact.ts";
import { systemCode } from "../../system/system-error.ts";
import { nodesInOrder, readTreeFile, treeOfName } from "../tree-file.ts";

export type FileState =
  /** `tree`: null for one that is named by the SHA-256 of more than one chunk, as all were once. */
  | { readonly kind: "right"; readonly bytes: number; readonly tree: ArtifactTree | null }
  /** `chunks`: which are wrong; null where nothing tells. */
  | { readonly kind: "damaged"; readonly chunks: readonly number[] | null }
  | { readonly kind: "absent" };

/** Throws the system's error. `onBytes` hears how much was read. */
export async function verifyFile(
  { digest, file, nodes }: { readonly digest: Digest; readonly file: string; readonly nodes: string },
  onBytes: (bytes: number) => void = () => undefined,
): Promise<FileState> {
  const tree = new ArtifactTree(digest);
  const read = await readTreeFile(nodes, tree);
  try {
    const isKnown = read === true && [...tree.wantedNodes()].length === 0;
    return isKnown ? await byTree(file, tree, onBytes) : await byHash(file, digest, nodes, onBytes);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return { kind: "absent" };
    throw error;
  }
}

async function byTree(
  file: string,
  tree: ArtifactTree,
  onBytes: (bytes: number) => void,
): Promise<FileState> {
  const wrong: number[] = [];
  let index = 0;
  let bytes = 0;
  for await (const chunk of chunksOfFile(file)) {
    if (index >= tree.chunkCount) break;
    if (chunk.length !== tree.bytesOf(index) || chunkDigest(chunk) !== tree.chunk(index)) wrong.push(index);
    index++;
    bytes += chunk.length;
    onBytes(chunk.length);
  }
  for (; index < tree.chunkCount; index++) wrong.push(index);
  return wrong.length === 0 ? { kind: "right", bytes, tree } : { kind: "damaged", chunks: wrong };
}

/** Of one chunk, of a plain digest, or one whose tree was lost. */
async function byHash(
  file: string,
  digest: Digest,
  nodesFile: string,
  onBytes: (bytes: number) => void,
): Promise<FileState> {
  const hash = new TreeHash();
  const whole = createHash("sha256");
  for await (const chunk of chunksOfFile(file)) {
    hash.add(chunk);
    whole.update(chunk);
    onBytes(chunk.length);
  }
  const { bytes, digest: found, nodes } = hash.end();
  if (found !== digest) {
    const isPlain = bytes > chunkBytesMax && whole.digest("hex") === digest;
    return isPlain ? { kind: "right", bytes, tree: null } : { kind: "damaged", chunks: null };
  }
  const tree = treeOfName(digest, bytes, nodes);
  if (nodes.length > 0) await writeFile(nodesFile, nodesInOrder(tree, nodes), { mode: 0o600 });
  return { kind: "right", bytes, tree };
}
