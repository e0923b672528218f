/**
 * The agent's artifact cache: files named by their digest, an index in the agent's own store, a quota.
 * CACHE-1: nothing is handed out whose bytes do not match its digest; a damaged file is fetched again.
 */
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import { errorSentence } from "../protocol/error-sentence.ts";
import { digestOf, getBlob, putBlob, type BlobPlace } from "./blob.ts";
import { BusError, type Bus } from "../protocol/bus/bus.ts";
import { sleep, type Clock } from "../protocol/time/clock.ts";
import type { Digest } from "../protocol/id.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { streamsOf, subjectsOf } from "../protocol/subjects.ts";
import { writeWhole } from "../system/whole-file.ts";
import type { Store } from "../store/store.ts";
import type { ArtifactCache } from "./artifact-cache.ts";

export interface DiskCacheOptions {
  readonly dir: string;
  readonly store: Store;
  readonly bus: Bus;
  readonly mesh: string;
  readonly clock: Clock;
  readonly quotaBytes: number;
}

const entrySchema = z.object({ bytes: z.int().nonnegative(), usedAt: z.number() });
const prefix = "artifact/";
const retryMs = 500;
/** An artifact another agent is just uploading may be seen half; it gets this many looks. */
const looksMax = 6;
/** What was used this recently is not evicted: a runner may be reading it, ms. */
const pinnedMs = 10 * 60_000;
/** What the mesh's store was seen to hold this recently is not offered to it again, ms. */
const sharedMs = 60_000;
const sharedKept = 10_000;
/** Folders of ended attempts go together, this often: most trials make none, and a look for each costs more. */
const tidyMs = 1_000;

export async function openDiskCache(options: DiskCacheOptions): Promise<ArtifactCache> {
  const { bus, clock, dir, mesh, quotaBytes, store } = options;
  const place: BlobPlace = { stream: streamsOf(mesh).blobs, subjectOf: subjectsOf(mesh).blob };
  const workDir = join(dir, "work");
  // What a killed run left half-written there is of no use to anyone.
  await rm(workDir, { recursive: true, force: true });
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const fetching = new Map<Digest, Promise<Outcome<string>>>();
  const sharing = new Map<Digest, Promise<void>>();
  /** When the mesh's store was last seen to hold a digest, oldest first. */
  const sharedAt = new Map<Digest, number>();
  /** The index as the store has it: reading all of it back for every artifact would grow with the cache. */
  const index = new Map<Digest, z.infer<typeof entrySchema>>();
  let total = 0;
  for (const [key, value] of store.range(prefix)) {
    const entry = entrySchema.safeParse(value);
    if (!entry.success) continue;
    index.set(key.slice(prefix.length), entry.data);
    total += entry.data.bytes;
  }

  const pathOf = (digest: Digest) => join(dir, digest.slice(0, 2), digest);

  async function note(digest: Digest, bytes: number): Promise<void> {
    const entry = { bytes, usedAt: clock.now() };
    total += bytes - (index.get(digest)?.bytes ?? 0);
    index.set(digest, entry);
    await store.write({ put: [[prefix + digest, entry]], remove: [] });
    await evict();
  }

  /** The least recently used goes first, until the rest fits the quota. */
  async function evict(): Promise<void> {
    if (total <= quotaBytes) return;
    const remove: string[] = [];
    for (const [digest, { bytes, usedAt }] of [...index].toSorted(([, a], [, b]) => a.usedAt - b.usedAt)) {
      if (total <= quotaBytes || usedAt > clock.now() - pinnedMs) break;
      index.delete(digest);
      total -= bytes;
      remove.push(prefix + digest);
      await rm(pathOf(digest), { force: true });
    }
    if (remove.length > 0) await store.write({ put: [], remove });
  }

  const isShared = (digest: Digest) => clock.monotonic() - (sharedAt.get(digest) ?? -Infinity) < sharedMs;

  async function shareOnce(path: string, digest: Digest): Promise<void> {
    const known = await stat(pathOf(digest)).catch(() => null);
    const bytes = await readFile(known === null ? path : pathOf(digest));
    if (digestOf(bytes) !== digest) throw new Error(`${path} is not what its digest says`);
    if (known === null) await keep(digest, bytes);
    await putBlob(bus, place, bytes);
    sharedAt.delete(digest);
    sharedAt.set(digest, clock.monotonic());
    const oldest = sharedAt.keys().next();
    if (sharedAt.size > sharedKept && oldest.done !== true) sharedAt.delete(oldest.value);
  }

  async function keep(digest: Digest, bytes: Uint8Array): Promise<string> {
    const path = pathOf(digest);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // CACHE-1 finds out what a machine that lost its power left cut short.
    await writeWhole(path, bytes, { flush: false });
    await note(digest, bytes.length);
    return path;
  }

  /** The cached file if it is whole; a damaged one is put away. */
  async function cached(digest: Digest): Promise<string | null> {
    const path = pathOf(digest);
    const bytes = await readFile(path).catch(() => null);
    if (bytes === null) return null;
    if (digestOf(bytes) === digest) {
      await note(digest, bytes.length);
      return path;
    }
    await rm(path, { force: true });
    return null;
  }

  async function fetchOnce(digest: Digest): Promise<Outcome<string>> {
    const here = await cached(digest);
    if (here !== null) return accept(here);
    for (let look = 1; ; look++) {
      try {
        const blob = await getBlob(bus, place, digest);
        if (blob.kind === "read") return accept(await keep(digest, blob.bytes));
        if (look >= looksMax) return refuse("unavailable", whyNot(digest, blob));
      } catch (error) {
        // While the server is away this waits: the lease's own horizon ends a wait that is too long.
        if (!(error instanceof BusError) || error.kind === "closed" || error.kind === "denied") {
          return refuse(
            "unavailable",
            `artifact ${digest.slice(0, 12)} cannot be read: ${errorSentence(error)}`,
          );
        }
        look--;
      }
      await sleep(clock, retryMs);
    }
  }

  /** Attempts that are over, whose folders may still be there. */
  let over = new Set<string>();

  async function tidy(): Promise<void> {
    const ended = over;
    over = new Set();
    for (const name of await readdir(workDir)) {
      if (ended.has(name)) await rm(join(workDir, name), { recursive: true, force: true });
    }
  }

  return {
    workDirOf: (fence) => join(workDir, String(fence)),
    clear(fence) {
      // Failing to tidy up harms nobody; the next start empties the folder.
      if (over.size === 0) clock.setTimer(tidyMs, () => void tidy().catch(() => {}));
      over.add(String(fence));
    },
    kept: (digest) => (isShared(digest) && index.has(digest) ? pathOf(digest) : null),
    fetch(digest) {
      let under = fetching.get(digest);
      if (under === undefined) {
        under = fetchOnce(digest)
          .catch((error: unknown) =>
            refuse("unavailable", `artifact ${digest.slice(0, 12)} cannot be kept: ${errorSentence(error)}`),
          )
          .finally(() => fetching.delete(digest));
        fetching.set(digest, under);
      }
      return under;
    },
    share(path, digest) {
      if (isShared(digest)) return Promise.resolve();
      let under = sharing.get(digest);
      if (under === undefined) {
        under = shareOnce(path, digest).finally(() => sharing.delete(digest));
        sharing.set(digest, under);
      }
      return under;
    },
  };
}

function whyNot(digest: Digest, blob: { readonly kind: string }): string {
  const name = `artifact ${digest.slice(0, 12)}`;
  return blob.kind === "corrupt"
    ? `${name} is damaged in the mesh's store`
    : `${name} is not in the mesh's store`;
}
