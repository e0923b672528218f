/**
 * Small checkpoints that this agent has sent with its reports, the newest few: what goes on here from one of them need not ask the mesh for it.
 * A memory only; what is durable lies in the mesh's store.
 */
import { bytesPerMiB } from "../protocol/byte-unit.ts";
import type { Digest } from "../protocol/id.ts";

const bytesMax = 32 * bytesPerMiB;
/** Beside its bytes: the digest, and its place among the others. */
const entryBytes = 200;

export class RecentContent {
  /** Oldest first. */
  readonly #contents = new Map<Digest, Uint8Array>();
  #bytes = 0;

  get(digest: Digest): Uint8Array | undefined {
    return this.#contents.get(digest);
  }

  note(digest: Digest, content: Uint8Array): void {
    if (this.#contents.delete(digest)) this.#bytes -= content.length + entryBytes;
    this.#contents.set(digest, content);
    this.#bytes += content.length + entryBytes;
    for (const [oldest, { length }] of this.#contents) {
      if (this.#bytes <= bytesMax) break;
      this.#contents.delete(oldest);
      this.#bytes -= length + entryBytes;
    }
  }
}
