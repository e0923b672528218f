/**
 * An agent's artifacts: those of its machine's store, fetched from where they can be had and put into the mesh's store. What a lease uses
 * is held until the lease is over. Not here: where bytes lie and how they are verified (`store`).
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BusError, type Bus } from "../../protocol/bus/bus.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { Digest, Fence } from "../../protocol/id.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { sleep, type Clock } from "../../protocol/time/clock.ts";
import type { ReplicaOrder } from "../../protocol/order.ts";
import type { Held } from "../../protocol/tracking.ts";
import { StoreError } from "../../store/store.ts";
import { FolderError } from "../../system/system-error.ts";
import { throughDiskTrouble } from "../../system/disk-trouble.ts";
import { shortDigest } from "../../text/figure.ts";
import type { ArtifactCache } from "../artifact-cache.ts";
import { putBlob, type BlobPlace } from "../blob.ts";
import type { ChunkSource } from "../chunk-source.ts";
import { fetchArtifact, type Fetched } from "./fetch-artifact.ts";
import { placeOf } from "../mesh-blob.ts";
import { MeshSource } from "../mesh-source.ts";
import { artifactName } from "../name-artifact.ts";
import { readPlain } from "../read-plain.ts";
import type { ReplicaHolder } from "./replica-holder.ts";
import { sendStored } from "./send-stored.ts";
import type { ArtifactStore, HeldArtifact } from "../store/artifact-store.ts";
import { openWorkFolders, type WorkFolders } from "./work-folder.ts";

export interface DiskCacheOptions {
  /** The agent's own folder, for what its attempts write. */
  readonly dir: string;
  readonly store: ArtifactStore;
  readonly bus: Bus;
  readonly mesh: string;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  /** Asked before the mesh's store. */
  readonly peers?: readonly ChunkSource[];
  /** Hears what this machine holds from now on, also of what it is just receiving, and what not any more. */
  readonly onHeld?: (held: Held) => void;
  readonly onDropped?: (digest: Digest) => void;
  /** Hears what was to go and was of use too lately, or is read just now: whoever says it again later finds it idle. */
  readonly onSpared?: (digest: Digest) => void;
  /** For large checkpoints; without it they go to the mesh's store as all others. */
  readonly replicas?: ReplicaHolder;
}

const retryMs = 500;
/** Agents that have what the mesh's store lost put it there one after another, within this time; most then find it there. */
const offerSpreadMs = 3_000;
/** The same bytes are offered again after this long, ms. */
const offerAgainMs = 20_000;
/** What the mesh's store was seen to hold this recently is not offered to it again, ms. */
const sharedMs = 60_000;
const sharedKept = 10_000;
/** What was used this recently is not dropped: a lease that names it may be on its way. */
export const usefulMs = 10 * 60_000;

export async function openDiskCache(options: DiskCacheOptions): Promise<ArtifactCache> {
  const { clock, dir, say } = options;
  const work = await throughDiskTrouble(dir, () => openWorkFolders(join(dir, "work"), clock), say);
  return new DiskCache(options, work);
}

/**
 * An artifact of the agent:
 *
 * | state    | told by                       | what moves it on                                                         |
 * | -------- | ----------------------------- | ------------------------------------------------------------------------ |
 * | absent   | the store has none            | `fetch`: fetching; `share` of a file elsewhere: sharing                  |
 * | fetching | `#fetching`: all who ask wait | a source gives it whole: here; none has it: absent                       |
 * |          | for the one fetch             |                                                                          |
 * | here     | the store has it              | a look that finds it damaged, or the quota: absent; `share`: sharing     |
 * | sharing  | `#sharing`: all who ask wait  | the mesh's store has it, or another agent too: shared; the bus failed,   |
 * |          | for the one upload            | which its caller hears: here                                             |
 * | shared   | here, and in `#sharedAt` for  | its time: here; the quota: absent                                        |
 * |          | less than `sharedMs`          |                                                                          |
 */
class DiskCache implements ArtifactCache {
  readonly #options: DiskCacheOptions;
  readonly #place: BlobPlace;
  readonly #store: ArtifactStore;
  readonly #sources: readonly ChunkSource[];
  readonly #work: WorkFolders;
  readonly #fetching = new Map<Digest, Promise<Outcome<HeldArtifact>>>();
  readonly #sharing = new Map<Digest, Promise<void>>();
  /** When the mesh's store was last seen to hold a digest, oldest first. */
  readonly #sharedAt = new Map<Digest, number>();
  /** When what the mesh's store had lost was last put there, oldest first. */
  readonly #offeredAt = new Map<Digest, number>();
  /** What each attempt uses. */
  readonly #used = new Map<Fence, HeldArtifact[]>();

  constructor(options: DiskCacheOptions, work: WorkFolders) {
    const { bus, clock, mesh, peers = [], store } = options;
    this.#options = options;
    this.#place = placeOf(mesh);
    this.#store = store;
    const pause = (ms: number) => sleep(clock, ms);
    this.#sources = [...peers, new MeshSource({ bus, place: this.#place, pause })];
    this.#work = work;
  }

  workDirOf(fence: Fence): string {
    return this.#work.of(fence);
  }

  clear(fence: Fence): void {
    this.#work.clear(fence);
    const used = this.#used.get(fence) ?? [];
    this.#used.delete(fence);
    for (const held of used) this.#release(held);
  }

  kept(digest: Digest, fence: Fence): string | null {
    if (!this.#isShared(digest)) return null;
    try {
      return this.#use(this.#store.holdAgain(digest), fence);
    } catch {
      // A disk that refuses: then it is written once more, where that is told.
      return null;
    }
  }

  async fetch(digest: Digest, fence: Fence): Promise<Outcome<string>> {
    let under = this.#fetching.get(digest);
    if (under === undefined) {
      under = this.#fetchOnce(digest)
        .catch((error: unknown) =>
          refuse("unavailable", `artifact ${shortDigest(digest)} cannot be kept: ${errorSentence(error)}`),
        )
        .finally(() => this.#fetching.delete(digest));
      this.#fetching.set(digest, under);
      // All who waited hold it by then.
      void under.then((fetched) => fetched.ok && setImmediate(() => this.#release(fetched.value)));
    }
    const fetched = await under;
    if (!fetched.ok) return fetched;
    const path = this.#use(this.#store.holdAgain(digest), fence);
    return path === null
      ? refuse("unavailable", `artifact ${shortDigest(digest)} cannot be kept: it went at once`)
      : accept(path);
  }

  async read(path: string, digest: Digest): Promise<Uint8Array | null> {
    const bytes = await readFile(path).catch(() => null);
    return bytes !== null && artifactName(bytes) === digest ? bytes : null;
  }

  async keep(digest: Digest, bytes: Uint8Array, fence: Fence): Promise<string> {
    const known = await this.#store.hold(digest);
    const held = known ?? (await this.#addBytes(digest, bytes));
    return this.#use(held, fence) ?? held.path;
  }

  async #addBytes(digest: Digest, bytes: Uint8Array): Promise<HeldArtifact> {
    const { digest: found, held } = await this.#store.addBytes(bytes);
    if (found === digest) return held;
    this.#release(held);
    throw new Error(`the bytes of ${digest} are not what their digest says`);
  }

  share(path: string, digest: Digest, content?: Uint8Array, made?: Fence): Promise<void> {
    if (this.#isShared(digest)) return Promise.resolve();
    let under = this.#sharing.get(digest);
    if (under === undefined) {
      under = this.#shareOnce(path, digest, content, made).finally(() => this.#sharing.delete(digest));
      this.#sharing.set(digest, under);
    }
    return under;
  }

  offer(digest: Digest, content?: Uint8Array): void {
    const { clock, dir } = this.#options;
    const now = clock.monotonic();
    for (const [offered, at] of this.#offeredAt)
      if (now - at >= offerAgainMs) this.#offeredAt.delete(offered);
    if (this.#offeredAt.has(digest)) return;
    this.#offeredAt.set(digest, now);
    this.#sharedAt.delete(digest);
    clock.setTimer(shareOf(dir + digest) * offerSpreadMs, () => void this.#offer(digest, content));
  }

  drop(digest: Digest): void {
    // What cannot be removed now goes when room is needed.
    void this.#drop(digest).catch(() => undefined);
  }

  /** GC-8: it goes whatever room there is, unless somebody reads it, wants it to stay, or it was of use only lately. */
  async #drop(digest: Digest): Promise<void> {
    const { clock, onDropped, onSpared, replicas } = this.#options;
    const entry = this.#store.entry(digest);
    if (entry === null) return;
    replicas?.release(digest);
    if (clock.now() - entry.usedAt < usefulMs) return onSpared?.(digest);
    if (this.#store.pins.has(digest)) return;
    this.#sharedAt.delete(digest);
    if (this.#store.remove(digest)) onDropped?.(digest);
    else onSpared?.(digest);
  }

  replica(
    { release, store, take }: Pick<ReplicaOrder, "take" | "release" | "store">,
    isWilling: boolean,
  ): void {
    const { replicas } = this.#options;
    if (take !== undefined) void replicas?.take(take.digest, take.bytes, isWilling);
    for (const digest of release ?? []) replicas?.release(digest);
    for (const digest of store ?? []) this.offer(digest);
  }

  /** The mesh's store misses blobs: what is asked for is a chunk or a node of whatever artifact, or one of before there were trees. */
  async #offer(digest: Digest, content: Uint8Array | undefined): Promise<void> {
    try {
      if (this.#store.keeps.has(digest)) return await this.#storeKept(digest);
      const chunk = content ?? (await this.#store.chunk(digest));
      if (chunk !== null) await putBlob(this.#options.bus, this.#place, chunk, digest);
      else if (!this.#store.withheld.has(digest))
        await this.#sendHeld(await this.#store.hold(digest), digest);
    } catch {
      // Somebody else may have it, and it is asked for again as long as it is missed.
    }
  }

  /** It lies at agents only, so all of it is wanted there. */
  async #storeKept(digest: Digest): Promise<void> {
    const held = await this.#store.hold(digest);
    if (held === null) return;
    await this.#sendHeld(held, digest);
    this.#options.replicas?.release(digest);
  }

  #use(held: HeldArtifact | null, fence: Fence): string | null {
    if (held === null) return null;
    const used = this.#used.get(fence) ?? [];
    used.push(held);
    this.#used.set(fence, used);
    return held.path;
  }

  #release(held: HeldArtifact): void {
    try {
      held.release();
    } catch {
      // A disk that refuses: it is let go with this process.
    }
  }

  #isShared(digest: Digest): boolean {
    return this.#options.clock.monotonic() - (this.#sharedAt.get(digest) ?? -Infinity) < sharedMs;
  }

  async #fetchOnce(digest: Digest): Promise<Outcome<HeldArtifact>> {
    const { clock, onDropped, onHeld, say } = this.#options;
    for (;;) {
      const fetched = await throughFullDisk(this.#store.folder, () => this.#ask(digest), say);
      if (fetched.kind === "here") onHeld?.({ digest });
      else if (fetched.kind === "failed") onDropped?.(digest);
      if (fetched.kind === "here") return accept(fetched.held);
      // While the server is away this waits: the lease's own horizon ends a wait that is too long.
      if (fetched.kind === "failed" && !fetched.passes) return refuse("unavailable", fetched.message);
      await sleep(clock, retryMs);
    }
  }

  async #ask(digest: Digest): Promise<Fetched> {
    const { bus, clock, say } = this.#options;
    const held = await this.#store.hold(digest);
    if (held !== null) return { kind: "here", held };
    // Others can have the chunks that are here while the rest still comes.
    this.#options.onHeld?.({ digest, part: true });
    return fetchArtifact(this.#store, digest, {
      sources: this.#sources,
      readPlain: async () => {
        try {
          const read = await readPlain(
            bus,
            this.#place,
            digest,
            (ms) => sleep(clock, ms),
            (pieces) => this.#store.addPlain(digest, pieces),
          );
          return read.kind === "read" ? read.taken : read;
        } catch (error) {
          if (!(error instanceof BusError)) throw error;
          const passes = error.kind !== "closed" && error.kind !== "denied";
          return { kind: "unavailable", message: errorSentence(error), passes };
        }
      },
      signal: new AbortController().signal,
      say,
    });
  }

  async #shareOnce(
    path: string,
    digest: Digest,
    content: Uint8Array | undefined,
    made: Fence | undefined,
  ): Promise<void> {
    const { say } = this.#options;
    const known = await this.#store.hold(digest);
    const added = async () => {
      if (content !== undefined) return this.#addBytes(digest, content);
      const { digest: found, held } = await this.#store.addFile(path);
      if (found === digest) return held;
      this.#release(held);
      throw new Error(`${path} is not what its digest says`);
    };
    const held = known ?? (await throughFullDisk(this.#store.folder, added, say));
    if (!(await this.#replicate(held, digest, made))) {
      await this.#sendHeld(held, digest);
      this.#options.onHeld?.({ digest });
    }
    this.#sharedAt.delete(digest);
    this.#sharedAt.set(digest, this.#options.clock.monotonic());
    const oldest = this.#sharedAt.keys().next();
    if (this.#sharedAt.size > sharedKept && oldest.done !== true) this.#sharedAt.delete(oldest.value);
  }

  /** AGENT-4: false where the mesh's store is to have it. */
  async #replicate(held: HeldArtifact, digest: Digest, fence: Fence | undefined): Promise<boolean> {
    const { replicas } = this.#options;
    if (replicas === undefined || fence === undefined) return false;
    const isHeld = await replicas.replicate({ digest, bytes: held.bytes, fence });
    if (isHeld) this.#release(held);
    return isHeld;
  }

  async #sendHeld(held: HeldArtifact | null, digest: Digest): Promise<void> {
    if (held === null) return;
    try {
      await sendStored(this.#options.bus, this.#place, this.#store, digest);
    } finally {
      this.#release(held);
    }
  }
}

/** DISK-1, also where it is the store's index that finds no room. */
function throughFullDisk<T>(folder: string, work: () => Promise<T>, say: (line: string) => void): Promise<T> {
  const attempt = async () => {
    try {
      return await work();
    } catch (error) {
      throw error instanceof StoreError && error.kind === "disk-full"
        ? new FolderError("ENOSPC", folder)
        : error;
    }
  };
  return throughDiskTrouble(folder, attempt, say);
}

/** From 0 to 1, always the same for this text. */
function shareOf(text: string): number {
  return createHash("sha256").update(text).digest().readUInt32BE(0) / 2 ** 32;
}
