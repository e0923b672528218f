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

/** `usedAt`: ms since the Unix epoch by this machine's clock; it says who was used before whom, and no more. */
const entrySchema = z.object({ bytes: z.int().nonnegative(), usedAt: z.number() });
type CacheEntry = z.infer<typeof entrySchema>;

const prefix = "artifact/";
/** What was used this recently is not evicted: a runner may be reading it, ms. */
const pinnedMs = 10 * 60_000;

export class CacheIndex {
  readonly #options: CacheIndexOptions;
  /** As the store has it: reading all of it back for every artifact would grow with the cache. */
  readonly #entries = new Map<Digest, CacheEntry>();
  /** When this process used it last, monotonic ms: a clock that is set must neither pin an artifact nor let one go. */
  readonly #usedHere = new Map<Digest, number>();
  #lastUsedAt = 0;
  #totalBytes = 0;

  /** An entry of the store that cannot be read is left out. */
  constructor(options: CacheIndexOptions) {
    this.#options = options;
    for (const [key, value] of options.store.range(prefix)) {
      const entry = entrySchema.safeParse(value);
      if (!entry.success) continue;
      this.#entries.set(key.slice(prefix.length), entry.data);
      this.#totalBytes += entry.data.bytes;
      this.#lastUsedAt = Math.max(this.#lastUsedAt, entry.data.usedAt);
    }
  }

  has(digest: Digest): boolean {
    return this.#entries.has(digest);
  }

  /** It is here and used just now; others may have to go for it. */
  async note(digest: Digest, bytes: number): Promise<void> {
    const { clock, store } = this.#options;
    // Later than all before it, also after the clock was set back.
    this.#lastUsedAt = Math.max(clock.now(), this.#lastUsedAt + 1);
    const entry = { bytes, usedAt: this.#lastUsedAt };
    this.#usedHere.set(digest, clock.monotonic());
    this.#totalBytes += bytes - (this.#entries.get(digest)?.bytes ?? 0);
    this.#entries.set(digest, entry);
    await store.write({ put: [[prefix + digest, entry]], remove: [] });
    await this.#evict();
  }

  /** GC-8: it goes whatever room there is, unless a runner may be reading it, or it has come only lately. */
  async drop(digest: Digest): Promise<void> {
    const { clock, remove, store } = this.#options;
    const entry = this.#entries.get(digest);
    if (entry === undefined || (this.#usedHere.get(digest) ?? -Infinity) > clock.monotonic() - pinnedMs)
      return;
    this.#entries.delete(digest);
    this.#usedHere.delete(digest);
    this.#totalBytes -= entry.bytes;
    await remove(digest);
    await store.write({ put: [], remove: [prefix + digest] });
  }

  /** The least recently used goes first, until the rest fits the quota. */
  async #evict(): Promise<void> {
    const { clock, quotaBytes, store } = this.#options;
    if (this.#totalBytes <= quotaBytes) return;
    const remove: string[] = [];
    const oldestFirst = [...this.#entries].toSorted(([, a], [, b]) => a.usedAt - b.usedAt);
    const pinnedSince = clock.monotonic() - pinnedMs;
    for (const [digest, { bytes }] of oldestFirst) {
      if (this.#totalBytes <= quotaBytes) break;
      if ((this.#usedHere.get(digest) ?? -Infinity) > pinnedSince) continue;
      this.#entries.delete(digest);
      this.#usedHere.delete(digest);
      this.#totalBytes -= bytes;
      remove.push(prefix + digest);
      await this.#options.remove(digest);
    }
    if (remove.length > 0) await store.write({ put: [], remove });
  }
}
