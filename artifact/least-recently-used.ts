/**
 * Which artifacts lie in the cache, how big they are and when they were last used, in the agent's own store; what goes when
 * they are more than the quota. The files themselves are the cache's.
 */
import * as z from "zod";
import type { Digest } from "../protocol/id.ts";
import type { Clock } from "../protocol/time/clock.ts";
import type { Store } from "../store/store.ts";

export interface CacheIndexOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly quotaBytes: number;
  /** Removes the file of an artifact that is evicted. */
  readonly remove: (digest: Digest) => Promise<void>;
}

const entrySchema = z.object({ bytes: z.int().nonnegative(), usedAt: z.number() });
type CacheEntry = z.infer<typeof entrySchema>;

const prefix = "artifact/";
/** What was used this recently is not evicted: a runner may be reading it, ms. */
const pinnedMs = 10 * 60_000;

export class CacheIndex {
  readonly #options: CacheIndexOptions;
  /** As the store has it: reading all of it back for every artifact would grow with the cache. */
  readonly #entries = new Map<Digest, CacheEntry>();
  #totalBytes = 0;

  /** An entry of the store that cannot be read is left out. */
  constructor(options: CacheIndexOptions) {
    this.#options = options;
    for (const [key, value] of options.store.range(prefix)) {
      const entry = entrySchema.safeParse(value);
      if (!entry.success) continue;
      this.#entries.set(key.slice(prefix.length), entry.data);
      this.#totalBytes += entry.data.bytes;
    }
  }

  has(digest: Digest): boolean {
    return this.#entries.has(digest);
  }

  /** It is here and used just now; others may have to go for it. */
  async note(digest: Digest, bytes: number): Promise<void> {
    const { clock, store } = this.#options;
    const entry = { bytes, usedAt: clock.now() };
    this.#totalBytes += bytes - (this.#entries.get(digest)?.bytes ?? 0);
    this.#entries.set(digest, entry);
    await store.write({ put: [[prefix + digest, entry]], remove: [] });
    await this.#evict();
  }

  /** The least recently used goes first, until the rest fits the quota. */
  async #evict(): Promise<void> {
    const { clock, quotaBytes, store } = this.#options;
    if (this.#totalBytes <= quotaBytes) return;
    const remove: string[] = [];
    const oldestFirst = [...this.#entries].toSorted(([, a], [, b]) => a.usedAt - b.usedAt);
    for (const [digest, { bytes, usedAt }] of oldestFirst) {
      if (this.#totalBytes <= quotaBytes || usedAt > clock.now() - pinnedMs) break;
      this.#entries.delete(digest);
      this.#totalBytes -= bytes;
      remove.push(prefix + digest);
      await this.#options.remove(digest);
    }
    if (remove.length > 0) await store.write({ put: [], remove });
  }
}
