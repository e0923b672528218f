/**
 * What the mesh's store holds that nothing refers to, with its age: the same look for whoever removes it and for whoever only asks.
 * Reads the store and decides nothing.
 */
import {
  packSize,
  partsOf,
  storedSize,
  takeInventory,
  type Inventory,
  type StoredSize,
} from "../../artifact/blob-inventory.ts";
import type { BlobPlace } from "../../artifact/blob.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import { packId, packOfId } from "../state/pack-id.ts";

/** The name of the pack that holds nothing, by which a coordinator finds out whether it may store any. */
const noPack = 0;
/** Reads of the store at once. */
const readsAtOnce = 16;

export interface Unreferred {
  /** Of a pack its id. */
  readonly digest: Digest;
  readonly bytes: number;
  /** How long it has been stored, ms. */
  readonly ageMs: number;
}

export interface Survey {
  readonly inventory: Inventory;
  /** GC-6: what trees that are referred to are made of. */
  readonly parts: ReadonlySet<Digest>;
  readonly unreferred: readonly Unreferred[];
}

/** Kept from one look to the next, so that each message is read once. Whoever removes something forgets its size: it may come again. */
export class SurveyMemory {
  /** What nodes are made of, which never changes. */
  readonly parts = new Map<Digest, readonly Digest[]>();
  /** By digest or id of a pack: how large it is and when it was stored. */
  readonly sizes = new Map<Digest, StoredSize>();

  forget(id: Digest): void {
    this.sizes.delete(id);
  }

  /** What is not there any more. */
  keepOnly({ packs, stored }: Inventory): void {
    for (const digest of this.parts.keys()) if (!stored.has(digest)) this.parts.delete(digest);
    for (const id of this.sizes.keys())
      if (!stored.has(id) && !packs.has(packOfId(id) ?? -1)) this.sizes.delete(id);
  }
}

export interface SurveyOptions {
  readonly bus: Bus;
  readonly place: BlobPlace;
  readonly referred: ReadonlySet<Digest>;
  /** By pack, the digests that lie in it. */
  readonly packs: ReadonlyMap<number, { readonly digests: readonly Digest[] }>;
  readonly memory: SurveyMemory;
  /** False ends it early, with what it has. */
  readonly goesOn: () => boolean;
}

/** In order of digests. Throws BusError. */
export async function surveyStore(options: SurveyOptions): Promise<Survey> {
  const { bus, memory, place, referred } = options;
  const inventory = await takeInventory(bus, place);
  memory.keepOnly(inventory);
  const sizeOf = async (id: Digest, read: () => Promise<StoredSize | null>) => {
    const size = memory.sizes.get(id) ?? (await read());
    if (size !== null) memory.sizes.set(id, size);
    return size;
  };
  const parts = await partsReferred(options, inventory);
  const could = [...inventory.stored].filter(([digest]) => !referred.has(digest) && !parts.has(digest));
  const unreferred: Unreferred[] = [];
  await eachOf(could, options.goesOn, async ([digest, n]) => {
    const size = await sizeOf(digest, () => storedSize(bus, place, digest, n));
    if (size !== null) unreferred.push({ digest, bytes: size.bytes, ageMs: inventory.at - size.at });
  });
  const isReferred = (pack: number) =>
    pack === noPack || options.packs.get(pack)?.digests.some((digest) => referred.has(digest)) === true;
  const idle = [...inventory.packs].filter((pack) => !isReferred(pack));
  await eachOf(idle, options.goesOn, async (pack) => {
    const size = await sizeOf(packId(pack), () => packSize(bus, place, pack));
    if (size !== null)
      unreferred.push({ digest: packId(pack), bytes: size.bytes, ageMs: inventory.at - size.at });
  });
  unreferred.sort((a, b) => (a.digest < b.digest ? -1 : 1));
  return { inventory, parts, unreferred };
}

async function partsReferred(
  { bus, goesOn, memory, place, referred }: SurveyOptions,
  { stored }: Inventory,
): Promise<ReadonlySet<Digest>> {
  const found = new Set<Digest>();
  let level = [...referred].filter((digest) => stored.get(digest) === 0);
  while (level.length > 0) {
    const next: Digest[] = [];
    await eachOf(level, goesOn, async (digest) => {
      let parts = memory.parts.get(digest);
      if (parts === undefined) {
        const size = await storedSize(bus, place, digest, 0);
        if (size === null) return;
        parts = await partsOf(bus, place, digest, size.bytes);
        memory.parts.set(digest, parts);
      }
      for (const part of parts) {
        if (found.has(part)) continue;
        found.add(part);
        if (stored.get(part) === 0) next.push(part);
      }
    });
    level = next;
  }
  return found;
}

/** Some at a time. */
export async function eachOf<T>(
  items: readonly T[],
  goesOn: () => boolean,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined && goesOn(); item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(readsAtOnce, items.length) }, worker));
}
