/**
 * Small checkpoints that went with this agent's reports, the newest of them: what goes on here from one need not ask the mesh, and what the
 * mesh's store has lost can be put there again. They lie in the agent's own store as packs, each written with the reports it went with.
 */
import { contentOf, packsOf, readPack, writePack } from "../artifact/pack.ts";
import { bytesPerMiB } from "../protocol/byte-unit.ts";
import type { Digest } from "../protocol/id.ts";
import type { Contents } from "../protocol/report-message.ts";
import { StoreError, type Store, type StoreChanges } from "../store/store.ts";

const bytesMax = 64 * bytesPerMiB;
const prefix = "recent/";
/** Keys sort as text, so their numbers have a fixed width. */
const keyDigits = 12;

interface Kept {
  readonly digests: readonly Digest[];
  readonly bytes: number;
}

export class RecentContent {
  readonly #store: Pick<Store, "get" | "range">;
  /** Oldest first. */
  readonly #packs = new Map<string, Kept>();
  /** By digest, the newest pack that it lies in. */
  readonly #keys = new Map<Digest, string>();
  #next = 1;
  #bytes = 0;

  /** What cannot be read in the store is left out, and removed with the next that is noted. */
  constructor(store: Pick<Store, "get" | "range">) {
    this.#store = store;
    for (const [key, value] of store.range(prefix)) {
      const pack = value instanceof Uint8Array ? readPack(value) : null;
      this.#note(key, {
        digests: [...(pack?.keys() ?? [])],
        bytes: value instanceof Uint8Array ? value.length : 0,
      });
      this.#next = Math.max(this.#next, Number(key.slice(prefix.length)) + 1 || 1);
    }
  }

  /** The bytes of this digest; null where they are not here, or not as they were written. */
  get(digest: Digest): Uint8Array | null {
    const key = this.#keys.get(digest);
    if (key === undefined) return null;
    try {
      const value = this.#store.get(key);
      const pack = value instanceof Uint8Array ? readPack(value) : null;
      return pack === null ? null : contentOf(pack, digest);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return null;
    }
  }

  /** What is to be written for these to be kept; until it is they are not here. */
  note(contents: Contents): StoreChanges {
    const fresh = new Map([...contents].filter(([digest]) => !this.#keys.has(digest)));
    const put: (readonly [string, Uint8Array])[] = [];
    for (const part of packsOf(fresh)) {
      const key = prefix + String(this.#next++).padStart(keyDigits, "0");
      const pack = writePack(part);
      put.push([key, pack]);
      this.#note(key, { digests: [...part.keys()], bytes: pack.length });
    }
    const remove: string[] = [];
    for (const [oldest, { bytes, digests }] of this.#packs) {
      if (this.#bytes <= bytesMax && digests.length > 0) break;
      this.#packs.delete(oldest);
      this.#bytes -= bytes;
      for (const digest of digests) if (this.#keys.get(digest) === oldest) this.#keys.delete(digest);
      remove.push(oldest);
    }
    return { put, remove };
  }

  #note(key: string, kept: Kept): void {
    this.#packs.set(key, kept);
    this.#bytes += kept.bytes;
    for (const digest of kept.digests) this.#keys.set(digest, key);
  }
}
