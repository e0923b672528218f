/**
 * Large checkpoints that lie at agents and not in the mesh's store, on this machine: its own and others'. They stay until nothing goes on
 * from them, and take no more than a share of the store's quota. Not here: who says so (the coordinator), and how they come.
 *
 * REPL-4: what is kept here is not let go for room; where there is no room for it, it is not kept.
 */
import type { Digest } from "../../protocol/id.ts";
import type { ArtifactStore } from "../store/artifact-store.ts";

/** Of the quota: the rest is for what trials need just now. */
const quotaShare = 0.5;

export interface KeptCheckpointOptions {
  readonly store: Pick<ArtifactStore, "index" | "keeps" | "kept">;
  /** Bytes that the disk may still take beside what its owner wants free. */
  readonly diskFree: () => number;
}

export class KeptCheckpoint {
  readonly #options: KeptCheckpointOptions;

  constructor(options: KeptCheckpointOptions) {
    this.#options = options;
  }

  /** Bytes that could be kept beside what is. */
  room(): number {
    return Math.max(0, Math.min(this.#ofQuota(), Math.floor(this.#options.diskFree())));
  }

  /** Bytes of each. */
  all(): ReadonlyMap<Digest, number> {
    try {
      return this.#options.store.kept();
    } catch {
      return new Map();
    }
  }

  has(digest: Digest): boolean {
    return this.#options.store.keeps.has(digest);
  }

  /** Whether there is room for it now. */
  fits(digest: Digest, bytes: number): boolean {
    return this.has(digest) || this.#ofQuota() >= bytes;
  }

  /** It lies here and is held by the caller. False where there is no room for it, or the disk takes no mark. */
  keep(digest: Digest, bytes: number): boolean {
    if (this.has(digest)) return true;
    // The disk has its bytes by now.
    if (this.#ofQuota() < bytes) return false;
    try {
      this.#options.store.keeps.add(digest);
      return true;
    } catch {
      return false;
    }
  }

  letGo(digest: Digest): void {
    this.#options.store.keeps.remove(digest);
  }

  #ofQuota(): number {
    const { store } = this.#options;
    const keptBytes = [...this.all().values()].reduce((sum, bytes) => sum + bytes, 0);
    return Math.floor(store.index.quotaBytes * quotaShare) - keptBytes;
  }
}
