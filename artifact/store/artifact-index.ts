/**
 * Which artifacts lie in a local store, how large they are, when each was last used and who reads it just now, among all processes of
 * a machine; what goes when they are more than the quota. The files lie beside it: a file moves into its place and out of it within a
 * change of the index, so that no process sees one without the other.
 *
 * CACHE-2: the least recently used goes first, but nothing that is pinned, that is kept for a trial to go on from, or that a living
 * process holds.
 */
import { readdirSync, rmSync, statSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import * as z from "zod";
import type { Digest } from "../../protocol/id.ts";
import { storedText } from "../../protocol/bound.ts";
import { bytesPerGiB } from "../../protocol/byte-unit.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { StoreError } from "../../store/store.ts";
import { isLiving, processName, SharedStore, type SharedEntries } from "../../store/shared-store.ts";
import { nodesSuffix, type StorePlace } from "./store-place.ts";

export const indexVersion = "artifacts-1";
/** Where nobody has said one, bytes. */
export const defaultQuotaBytes = 10 * bytesPerGiB;

/** `usedAt`: ms since the Unix epoch by this machine's clock; it says who was used before whom, and no more. */
const entrySchema = z.object({ bytes: z.number().nonnegative(), usedAt: z.number() });
export type IndexEntry = z.infer<typeof entrySchema>;

const ownerSchema = storedText.catch("");
const numberSchema = z.number().catch(0);
const key = {
  entry: "entry/",
  used: "used/",
  held: "held/",
  part: "part/",
  total: "total",
  last: "last",
  quota: "quota",
} as const;
/** Digits of a time in a key, so that the order of keys is that of times. */
const timeDigits = 16;

export interface ArtifactIndexOptions {
  readonly place: StorePlace;
  readonly clock: Clock;
  /** Null: as another process said it. */
  readonly quotaBytes: number | null;
}

export class ArtifactIndex {
  readonly #options: ArtifactIndexOptions;
  readonly #store: SharedStore;
  /** As others know whoever holds something: its process, and which store of it. */
  readonly #owner = `${processName()}-${randomBytes(4).toString("hex")}`;
  /** How often each is held by this process, and which parts are its own. */
  readonly #held = new Map<Digest, number>();
  readonly #parts = new Set<Digest>();

  /** Throws the system's error, or StoreError. */
  constructor(options: ArtifactIndexOptions) {
    this.#options = options;
    const { place, quotaBytes } = options;
    this.#store = new SharedStore({
      folder: place.indexFolder,
      version: indexVersion,
      fill: (entries) => fill(entries, place),
      refill: (entries) => {
        this.#putQuota(entries);
        for (const digest of this.#held.keys()) entries.put(this.#heldKey(digest), true);
        for (const digest of this.#parts) entries.put(key.part + digest, this.#owner);
      },
    });
    if (quotaBytes !== null) this.#store.change((entries) => this.#putQuota(entries));
  }

  entry(digest: Digest): IndexEntry | null {
    return this.#store.read((entries) => entryOf(entries, digest));
  }

  /** All, the most recently used first. */
  list(): readonly (IndexEntry & { readonly digest: Digest })[] {
    return this.#store.read((entries) => {
      const found = [...entries.range(key.used)].map(([used]) => used.slice(-64));
      return found.toReversed().flatMap((digest) => {
        const entry = entryOf(entries, digest);
        return entry === null ? [] : [{ digest, ...entry }];
      });
    });
  }

  get totalBytes(): number {
    return this.#store.read((entries) => numberSchema.parse(entries.get(key.total)));
  }

  get quotaBytes(): number {
    return this.#store.read(quotaOf);
  }

  /** Its file, which `moveIn` puts in its place, counts from now on, and is held where `hold` says so; others may have to go for it. */
  add(digest: Digest, bytes: number, hold: boolean, moveIn: () => void): void {
    this.#change((entries) => {
      moveIn();
      this.#put(entries, digest, bytes);
      if (hold) this.#hold(entries, digest);
      return this.#evict(entries, digest);
    });
  }

  /** It is used just now, and stays until `release`. Null where it is not here. */
  hold(digest: Digest): IndexEntry | null {
    return this.#store.change((entries) => {
      const entry = entryOf(entries, digest);
      if (entry === null) return null;
      this.#put(entries, digest, entry.bytes);
      this.#hold(entries, digest);
      return entry;
    });
  }

  release(digest: Digest): void {
    const held = (this.#held.get(digest) ?? 0) - 1;
    if (held > 0) return void this.#held.set(digest, held);
    this.#held.delete(digest);
    this.#change((entries) => {
      entries.remove(this.#heldKey(digest));
      return this.#evict(entries, null);
    });
  }

  /** Living processes that read it. */
  holders(digest: Digest): readonly string[] {
    return this.#store.read((entries) => holdersOf(entries, digest).filter(isLiving));
  }

  /** It is no more; `moveOut` takes its file from its place. */
  drop(digest: Digest, moveOut: () => void): void {
    this.#store.change((entries) => {
      take(entries, digest);
      moveOut();
    });
  }

  /** True where this process alone may write the part of it. */
  claimPart(digest: Digest): boolean {
    return this.#store.change((entries) => {
      if (this.#isPartTaken(entries, digest)) return false;
      entries.put(key.part + digest, this.#owner);
      this.#parts.add(digest);
      return true;
    });
  }

  /** Whether somebody brings it just now. */
  isPartTaken(digest: Digest): boolean {
    return this.#store.read((entries) => this.#isPartTaken(entries, digest));
  }

  releasePart(digest: Digest): void {
    this.#parts.delete(digest);
    try {
      this.#store.change((entries) => entries.remove(key.part + digest));
    } catch (error) {
      // On a full disk: it is this store's own, and so nobody else's until this process is gone.
      if (!(error instanceof StoreError) || error.kind !== "disk-full") throw error;
    }
  }

  #isPartTaken(entries: Reader, digest: Digest): boolean {
    const holder = ownerSchema.parse(entries.get(key.part + digest));
    return this.#parts.has(digest) || (holder !== "" && holder !== this.#owner && isLiving(holder));
  }

  async close(): Promise<void> {
    const held = [...this.#held.keys()];
    this.#held.clear();
    try {
      this.#store.change((entries) => held.forEach((digest) => entries.remove(this.#heldKey(digest))));
    } finally {
      await this.#store.close();
    }
  }

  #heldKey(digest: Digest): string {
    return `${key.held}${digest}/${this.#owner}`;
  }

  #putQuota(entries: SharedEntries): void {
    const { place, quotaBytes } = this.#options;
    if (quotaBytes === null || quotaBytes === quotaOf(entries)) return;
    place.writeQuota(quotaBytes);
    entries.put(key.quota, quotaBytes);
  }

  #put(entries: SharedEntries, digest: Digest, bytes: number): void {
    take(entries, digest);
    // Later than all before it, also after the clock was set back.
    const usedAt = Math.max(this.#options.clock.now(), numberSchema.parse(entries.get(key.last)) + 1);
    entries.put(key.last, usedAt);
    put(entries, digest, { bytes, usedAt });
  }

  #hold(entries: SharedEntries, digest: Digest): void {
    const held = this.#held.get(digest) ?? 0;
    this.#held.set(digest, held + 1);
    if (held === 0) entries.put(this.#heldKey(digest), true);
  }

  /** Files go once the change is made: what it moved aside, nobody finds any more. */
  #change(work: (entries: SharedEntries) => readonly string[]): void {
    for (const path of this.#store.change(work)) rmSync(path, { force: true });
  }

  /** The least recently used goes first, until the rest fits the quota. Returns the files that may be deleted. */
  #evict(entries: SharedEntries, added: Digest | null): readonly string[] {
    let total = numberSchema.parse(entries.get(key.total));
    const quota = quotaOf(entries);
    if (total <= quota) return [];
    const { place } = this.#options;
    const going: Digest[] = [];
    for (const [used] of entries.range(key.used)) {
      if (total <= quota) break;
      const digest = used.slice(-64);
      if (digest === added || place.pins.has(digest) || place.keeps.has(digest)) continue;
      if (holdersOf(entries, digest).some(isLiving)) continue;
      total -= entryOf(entries, digest)?.bytes ?? 0;
      going.push(digest);
    }
    return going.flatMap((digest) => {
      take(entries, digest);
      for (const holder of holdersOf(entries, digest)) entries.remove(`${key.held}${digest}/${holder}`);
      const file = place.draft();
      const nodes = place.draft();
      place.moveOut(digest, file, nodes);
      return [file, nodes];
    });
  }
}

type Reader = Pick<SharedEntries, "get" | "range">;

function holdersOf(entries: Reader, digest: Digest): readonly string[] {
  const prefix = `${key.held}${digest}/`;
  return [...entries.range(prefix)].map(([held]) => held.slice(prefix.length));
}

/** An entry that cannot be read is none. */
function entryOf(entries: Reader, digest: Digest): IndexEntry | null {
  return entrySchema.safeParse(entries.get(key.entry + digest)).data ?? null;
}

function quotaOf(entries: Reader): number {
  return z.number().catch(defaultQuotaBytes).parse(entries.get(key.quota));
}

function usedKey(digest: Digest, usedAt: number): string {
  return `${key.used}${String(Math.round(usedAt)).padStart(timeDigits, "0")}/${digest}`;
}

function put(entries: SharedEntries, digest: Digest, entry: IndexEntry): void {
  entries.put(key.entry + digest, entry);
  entries.put(usedKey(digest, entry.usedAt), true);
  entries.put(key.total, numberSchema.parse(entries.get(key.total)) + entry.bytes);
}

function take(entries: SharedEntries, digest: Digest): void {
  const entry = entryOf(entries, digest);
  if (entry === null) return;
  entries.remove(key.entry + digest);
  entries.remove(usedKey(digest, entry.usedAt));
  entries.put(key.total, numberSchema.parse(entries.get(key.total)) - entry.bytes);
}

/** What lies in the folder; a file's own time is that of its last use, as far as it was written down. */
function fill(entries: SharedEntries, place: StorePlace): void {
  let last = 0;
  const files = join(place.folder, "files");
  for (const two of readdirSync(files)) {
    for (const name of readdirSync(join(files, two))) {
      if (name.endsWith(nodesSuffix) || name.length !== 64) continue;
      const { mtimeMs, size } = statSync(join(files, two, name));
      put(entries, name, { bytes: size, usedAt: Math.max(0, mtimeMs) });
      last = Math.max(last, mtimeMs);
    }
  }
  entries.put(key.last, last);
  entries.put(key.quota, place.readQuota());
}
