/**
 * The agent's artifact cache: files named by their digest, an index in the agent's own store, a quota.
 * CACHE-1: nothing is handed out whose bytes do not match its digest; a damaged file is fetched again.
 */
import { readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digestOf, putBlob, type BlobPlace } from "./blob.ts";
import { readBlob } from "./read-blob.ts";
import { CacheIndex } from "./least-recently-used.ts";
import { placeOf } from "./mesh-blob.ts";
import { BusError, type Bus } from "../protocol/bus/bus.ts";
import { sleep, type Clock } from "../protocol/time/clock.ts";
import type { Digest, Fence } from "../protocol/id.ts";
import { errorSentence } from "../protocol/error-sentence.ts";
import { throughDiskTrouble } from "../system/disk-trouble.ts";
import { writeWhole } from "../system/whole-file.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import type { Store } from "../store/store.ts";
import type { ArtifactCache } from "./artifact-cache.ts";
import { openWorkFolders, type WorkFolders } from "./work-folder.ts";
import { makeFolder } from "../system/make-folder.ts";

export interface DiskCacheOptions {
  readonly dir: string;
  readonly store: Store;
  readonly bus: Bus;
  readonly mesh: string;
  readonly clock: Clock;
  readonly quotaBytes: number;
  readonly say: (line: string) => void;
}

const retryMs = 500;
/** Agents that have what the mesh's store lost put it there one after another, within this time; most then find it there. */
const offerSpreadMs = 3_000;
/** The same bytes are offered again after this long, ms. */
const offerAgainMs = 20_000;
/** What the mesh's store was seen to hold this recently is not offered to it again, ms. */
const sharedMs = 60_000;
const sharedKept = 10_000;

export async function openDiskCache(options: DiskCacheOptions): Promise<ArtifactCache> {
  const { clock, dir, say } = options;
  const work = await throughDiskTrouble(dir, () => openWorkFolders(join(dir, "work"), clock), say);
  return new DiskCache(options, work);
}

/**
 * An artifact of the cache:
 *
 * | state    | told by                       | what moves it on                                                         |
 * | -------- | ----------------------------- | ------------------------------------------------------------------------ |
 * | absent   | no file of its digest         | `fetch`: fetching; `share` of a file elsewhere: sharing                  |
 * | fetching | `#fetching`: all who ask wait | the mesh's store gives it whole: here; no look finds it: absent          |
 * |          | for the one fetch             |                                                                          |
 * | here     | its file and the index        | a look that finds it damaged, or the quota: absent; `share`: sharing     |
 * | sharing  | `#sharing`: all who ask wait  | the mesh's store has it: shared; the bus failed, which its caller hears: |
 * |          | for the one upload            | here                                                                     |
 * | shared   | here, and in `#sharedAt` for  | its time: here; the quota: absent                                        |
 * |          | less than `sharedMs`          |                                                                          |
 */
class DiskCache implements ArtifactCache {
  readonly #options: DiskCacheOptions;
  readonly #place: BlobPlace;
  readonly #work: WorkFolders;
  readonly #index: CacheIndex;
  readonly #fetching = new Map<Digest, Promise<Outcome<string>>>();
  readonly #sharing = new Map<Digest, Promise<void>>();
  /** When the mesh's store was last seen to hold a digest, oldest first. */
  readonly #sharedAt = new Map<Digest, number>();

  /** When what the mesh's store had lost was last put there, oldest first. */
  readonly #offeredAt = new Map<Digest, number>();

  constructor(options: DiskCacheOptions, work: WorkFolders) {
    const { clock, mesh, quotaBytes, store } = options;
    this.#options = options;
    this.#place = placeOf(mesh);
    this.#work = work;
    this.#index = new CacheIndex({
      store,
      clock,
      quotaBytes,
      remove: (digest) => rm(this.#pathOf(digest), { force: true }),
    });
  }

  workDirOf(fence: Fence): string {
    return this.#work.of(fence);
  }

  clear(fence: Fence): void {
    this.#work.clear(fence);
  }

  kept(digest: Digest): string | null {
    return this.#isShared(digest) && this.#index.has(digest) ? this.#pathOf(digest) : null;
  }

  fetch(digest: Digest): Promise<Outcome<string>> {
    let under = this.#fetching.get(digest);
    if (under === undefined) {
      under = this.#fetchOnce(digest)
        .catch((error: unknown) =>
          refuse("unavailable", `artifact ${digest.slice(0, 12)} cannot be kept: ${errorSentence(error)}`),
        )
        .finally(() => this.#fetching.delete(digest));
      this.#fetching.set(digest, under);
    }
    return under;
  }

  async read(path: string, digest: Digest): Promise<Uint8Array | null> {
    const bytes = await readFile(path).catch(() => null);
    return bytes !== null && digestOf(bytes) === digest ? bytes : null;
  }

  async keep(digest: Digest, bytes: Uint8Array): Promise<string> {
    return (await this.#cached(digest)) ?? this.#keep(digest, bytes);
  }

  share(path: string, digest: Digest, content?: Uint8Array): Promise<void> {
    if (this.#isShared(digest)) return Promise.resolve();
    let under = this.#sharing.get(digest);
    if (under === undefined) {
      under = this.#shareOnce(path, digest, content).finally(() => this.#sharing.delete(digest));
      this.#sharing.set(digest, under);
    }
    return under;
  }

  drop(digest: Digest): void {
    // What cannot be removed now goes when room is needed.
    void this.#index.drop(digest).catch(() => undefined);
  }

  offer(digest: Digest): void {
    const { clock, dir } = this.#options;
    const now = clock.monotonic();
    for (const [offered, at] of this.#offeredAt)
      if (now - at >= offerAgainMs) this.#offeredAt.delete(offered);
    if (this.#offeredAt.has(digest)) return;
    this.#offeredAt.set(digest, now);
    this.#sharedAt.delete(digest);
    clock.setTimer(shareOf(dir + digest) * offerSpreadMs, () => void this.#offer(digest));
  }

  async #offer(digest: Digest): Promise<void> {
    try {
      if ((await this.#cached(digest)) !== null) await this.share(this.#pathOf(digest), digest);
    } catch {
      // Somebody else may have it, and it is asked for again as long as it is missed.
    }
  }

  #pathOf(digest: Digest): string {
    return join(this.#options.dir, digest.slice(0, 2), digest);
  }

  #isShared(digest: Digest): boolean {
    return this.#options.clock.monotonic() - (this.#sharedAt.get(digest) ?? -Infinity) < sharedMs;
  }

  async #fetchOnce(digest: Digest): Promise<Outcome<string>> {
    const { bus, clock } = this.#options;
    const here = await this.#cached(digest);
    if (here !== null) return accept(here);
    for (;;) {
      try {
        const blob = await readBlob(bus, this.#place, digest, (ms) => sleep(clock, ms));
        return blob.kind === "read"
          ? accept(await this.#keep(digest, blob.bytes))
          : refuse("unavailable", whyNot(digest, blob));
      } catch (error) {
        // While the server is away this waits: the lease's own horizon ends a wait that is too long.
        if (!(error instanceof BusError) || error.kind === "closed" || error.kind === "denied") {
          return refuse(
            "unavailable",
            `artifact ${digest.slice(0, 12)} cannot be read: ${errorSentence(error)}`,
          );
        }
      }
      await sleep(clock, retryMs);
    }
  }

  /** The cached file if it is whole; a damaged one is put away. */
  async #cached(digest: Digest): Promise<string | null> {
    const path = this.#pathOf(digest);
    const bytes = await readFile(path).catch(() => null);
    if (bytes === null) return null;
    if (digestOf(bytes) === digest) {
      await this.#index.note(digest, bytes.length);
      return path;
    }
    await rm(path, { force: true });
    return null;
  }

  async #keep(digest: Digest, bytes: Uint8Array): Promise<string> {
    const path = this.#pathOf(digest);
    const write = async () => {
      await makeFolder(dirname(path), 0o700);
      // CACHE-1 finds out what a machine that lost its power left cut short.
      await writeWhole(path, bytes, { flush: false });
    };
    await throughDiskTrouble(this.#options.dir, write, this.#options.say);
    await this.#index.note(digest, bytes.length);
    return path;
  }

  async #shareOnce(path: string, digest: Digest, content: Uint8Array | undefined): Promise<void> {
    const own = this.#pathOf(digest);
    const known = await stat(own).catch(() => null);
    const bytes =
      known === null && content !== undefined ? content : await readFile(known === null ? path : own);
    if (digestOf(bytes) !== digest) throw new Error(`${path} is not what its digest says`);
    if (known === null) await this.#keep(digest, bytes);
    await putBlob(this.#options.bus, this.#place, bytes);
    this.#sharedAt.delete(digest);
    this.#sharedAt.set(digest, this.#options.clock.monotonic());
    const oldest = this.#sharedAt.keys().next();
    if (this.#sharedAt.size > sharedKept && oldest.done !== true) this.#sharedAt.delete(oldest.value);
  }
}

function whyNot(digest: Digest, blob: { readonly kind: string }): string {
  const name = `artifact ${digest.slice(0, 12)}`;
  return blob.kind === "corrupt"
    ? `${name} was damaged in the mesh's store, and no agent that runs has it whole`
    : `${name} is not in the mesh's store`;
}

/** From 0 to 1, always the same for this text. */
function shareOf(text: string): number {
  return Number.parseInt(digestOf(Buffer.from(text)).slice(0, 8), 16) / 2 ** 32;
}
