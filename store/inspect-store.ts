/**
 * Says what is wrong with a store's file by reading all of it: each entry's checksum, its place among the others, and whether all
 * of them add up to what was written last. Changes nothing. LMDB may end the process that reads damage: see `open-checked.ts`.
 */
import { join } from "node:path";
import { open, type Database, type RootDatabase } from "lmdb";
import * as z from "zod";
import { errorSentence } from "../protocol/error-sentence.ts";
import { openEntry, openSummary, summaryKey, Tally } from "./checked-entry.ts";
import { refusalOf } from "./lmdb-error.ts";
import { compactFile, storeFile } from "./lmdb-file.ts";

/** The tables of a store's file. */
export const table = { about: "about", checked: "checked", unchecked: "entries" } as const;
export const versionKey = "version";
/** Follows the owner's version in the file: a program that knows nothing of checksums refuses it as another version. */
export const checkedSuffix = "+checksums";
const statsSchema = z.object({ entryCount: z.number() });
const versionPattern = /^[a-z-]+-\d+$/;

/** What is wrong, in some words; null where all of it is as it was written. `entries`: the ones with checksums. */
export function faultOf(
  entries: Database<Buffer, string>,
  summary: { readonly count: number; readonly sum: number },
): string | null {
  try {
    const tally = new Tally();
    let last: Buffer | null = null;
    for (const { key, value } of entries.getRange({})) {
      const entry = typeof key === "string" ? openEntry(key, value) : null;
      if (entry === null) return `${shown(key)} is not what was written there`;
      tally.add(entry.checksum);
      const place = Buffer.from(key);
      if (last !== null && Buffer.compare(last, place) >= 0) return `${shown(key)} is out of its place`;
      last = place;
      if (entries.getBinaryFast(key)?.readUInt32LE(0) !== entry.checksum)
        return `${shown(key)} cannot be found`;
    }
    if (tally.count !== summary.count)
      return `it holds ${tally.count} entries and should hold ${summary.count}`;
    return tally.sum === summary.sum ? null : "some of its entries are older than the others";
  } catch (error) {
    return errorSentence(error);
  }
}

/** Opens the store's file, or another in its folder, for reading only. */
export async function inspectStore(path: string, file = storeFile): Promise<string | null> {
  let root: RootDatabase<unknown, string> | undefined;
  try {
    root = openToRead(join(path, file));
    return faultInside(root);
  } catch (error) {
    return errorSentence(error);
  } finally {
    await root?.close().catch(() => undefined);
  }
}

/**
 * Writes what the store holds to `compactFile` beside it, without the pages that LMDB keeps for later writes: damage to the list of
 * those shows only when one is written to. Says what is wrong with what came of it. Throws where there is no room for it.
 */
export async function compactStore(path: string): Promise<string | null> {
  const root = openToRead(join(path, storeFile));
  try {
    await root.backup(join(path, compactFile), true);
  } catch (error) {
    const refusal = refusalOf(error, path);
    if (refusal.kind !== "damaged") throw error;
    return refusal.message;
  } finally {
    await root.close();
  }
  return inspectStore(path, compactFile);
}

export function openToRead(file: string): RootDatabase<unknown, string> {
  return open<unknown, string>({ path: file, noSubdir: true, maxDbs: 3, readOnly: true });
}

function faultInside(root: RootDatabase<unknown, string>): string | null {
  const about = tableOf(root, table.about);
  // It was made and never written to.
  if (about === undefined || about.get(versionKey) === undefined) return null;
  const version = root.openDB<unknown, string>({ name: table.about }).get(versionKey);
  if (typeof version !== "string") return unnamed;
  if (!version.endsWith(checkedSuffix)) return versionPattern.test(version) ? uncheckedFault(root) : unnamed;
  const summary = openSummary(about.get(summaryKey));
  if (summary === null) return "the record of what it should hold is gone";
  if (summary.version + checkedSuffix !== version) return unnamed;
  const entries = tableOf(root, table.checked);
  return entries === undefined ? "its entries are gone" : faultOf(entries, summary);
}

const unnamed = "its version is not what was written there";

/** Of a store without checksums: whether it can be read to its end. */
function uncheckedFault(root: RootDatabase<unknown, string>): string | null {
  const entries = tableOf(root, table.unchecked);
  if (entries === undefined) return null;
  let read = 0;
  for (const _ of entries.getRange({})) read++;
  const count = entryCount(entries);
  return read === count ? null : `it holds ${count} entries and ${read} can be read`;
}

export function entryCount(entries: Database<Buffer, string>): number {
  return statsSchema.parse(entries.getStats()).entryCount;
}

/** Undefined where the file has no such table. */
export function tableOf(
  root: RootDatabase<unknown, string>,
  name: string,
): Database<Buffer, string> | undefined {
  return root.openDB<Buffer, string>({ name, encoding: "binary" });
}

export interface Packer {
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

const packerSchema = z.custom<Packer>(
  (found) => typeof found === "object" && found !== null && "encode" in found && "decode" in found,
);

/** What lmdb-js packs values with. */
export function packerOf(root: RootDatabase<unknown, string>): Packer {
  return packerSchema.parse(Reflect.get(root, "encoder"));
}

function shown(key: unknown): string {
  return JSON.stringify(String(key)).slice(0, 80);
}
