/** Bytes of no name yet, written to a file as they come and named when they end. Gone where it is not put in its place. */
import { createHash, type Hash } from "node:crypto";
import { open, rm, stat, writeFile, type FileHandle } from "node:fs/promises";
import { bytesPerKiB } from "../../protocol/byte-unit.ts";
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import type { ArtifactTree } from "../artifact-tree.ts";
import { chunkBytesMax, TreeHash } from "../chunk-tree.ts";
import { chunksOfFile } from "../name-artifact.ts";
import { PartError } from "./part-file.ts";
import { nodesInOrder, treeOfName } from "../tree-file.ts";
import { nodesSuffix } from "./store-place.ts";

const ownerOnlyMode = 0o600;
const restBytesMin = 16 * bytesPerKiB;

export interface NamedDraft {
  readonly digest: Digest;
  /** SHA-256 of all of it, where it was asked for. */
  readonly plain: Digest | null;
  readonly tree: ArtifactTree;
  readonly bytes: number;
  /** File of its nodes; null where it is one chunk. */
  readonly nodes: string | null;
}

export class DraftFile {
  readonly path: string;
  readonly #file: FileHandle;
  readonly #tree = new TreeHash();
  readonly #plain: Hash | null;
  /** What does not fill a chunk yet. */
  #rest: Bytes = new Uint8Array(0);
  #restBytes = 0;
  #closed = false;

  private constructor(path: string, file: FileHandle, isPlain: boolean) {
    this.path = path;
    this.#file = file;
    this.#plain = isPlain ? createHash("sha256") : null;
  }

  /** `isPlain`: the SHA-256 of all of it is wanted too. Throws the system's error. */
  static async open(path: string, isPlain = false): Promise<DraftFile> {
    return new DraftFile(path, await open(path, "wx", ownerOnlyMode), isPlain);
  }

  async write(piece: Bytes): Promise<void> {
    for (let at = 0; at < piece.length;) {
      if (this.#restBytes === 0 && piece.length - at >= chunkBytesMax) {
        await this.#chunk(piece.subarray(at, at + chunkBytesMax));
        at += chunkBytesMax;
        continue;
      }
      const taken = Math.min(chunkBytesMax - this.#restBytes, piece.length - at);
      this.#makeRoom(this.#restBytes + taken);
      this.#rest.set(piece.subarray(at, at + taken), this.#restBytes);
      this.#restBytes += taken;
      at += taken;
      if (this.#restBytes === chunkBytesMax) await this.#flush();
    }
  }

  /** All of a file that stays as it is meanwhile. Throws the system's error, and PartError where it changes. */
  async copy(path: string): Promise<void> {
    const before = await identityOf(path);
    for await (const chunk of chunksOfFile(path)) await this.write(chunk);
    if ((await identityOf(path)) !== before) throw new PartError(`${path} changed while it was read`);
  }

  async end(): Promise<NamedDraft> {
    await this.#flush();
    await this.#close();
    const { bytes, digest, nodes } = this.#tree.end();
    const plain = this.#plain?.digest("hex") ?? null;
    const tree = treeOfName(digest, bytes, nodes);
    if (nodes.length === 0) return { digest, plain, bytes, tree, nodes: null };
    const path = this.path + nodesSuffix;
    await writeFile(path, nodesInOrder(tree, nodes), { mode: ownerOnlyMode });
    return { digest, plain, bytes, tree, nodes: path };
  }

  /** What was moved away stays. */
  async remove(): Promise<void> {
    await this.#close();
    await rm(this.path, { force: true });
    await rm(this.path + nodesSuffix, { force: true });
  }

  /** For a small artifact little, for a larger one a chunk. */
  #makeRoom(bytes: number): void {
    if (bytes <= this.#rest.length) return;
    const larger = new Uint8Array(Math.min(chunkBytesMax, Math.max(restBytesMin, 2 * bytes)));
    larger.set(this.#rest.subarray(0, this.#restBytes));
    this.#rest = larger;
  }

  async #flush(): Promise<void> {
    const bytes = this.#restBytes;
    this.#restBytes = 0;
    if (bytes > 0) await this.#chunk(this.#rest.subarray(0, bytes));
  }

  async #chunk(data: Bytes): Promise<void> {
    this.#tree.add(data);
    this.#plain?.update(data);
    for (let written = 0; written < data.length;)
      written += (await this.#file.write(data, written, data.length - written)).bytesWritten;
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#file.close();
  }
}

async function identityOf(path: string): Promise<string> {
  const { ino, mtimeNs, size } = await stat(path, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}
