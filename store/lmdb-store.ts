// The store on disk, by LMDB. Values are msgpack. One process per folder writes; the folder's schema version is
// checked when it is opened, never migrated here. What is damaged inside is met by whoever reads it: see `open-checked.ts`.

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  statfsSync,
} from "node:fs";
import { join } from "node:path";

import { open, type Database, type RootDatabase } from "lmdb";
import * as z from "zod";

import { bytesPerMiB } from "../protocol/byte-unit.ts";
import { errorSentence } from "../protocol/error-sentence.ts";
import {
  assertKeys,
  StoreError,
  type Store,
  type StoreChanges,
  type StoreOpening,
  type StoreRefusal,
} from "./store.ts";

export const storeFile = "store.lmdb";
const versionKey = "version";
/** With less free than this no store is opened, and a write that failed for no named reason failed for want of space. */
const nearlyFullBytes = bytesPerMiB;
/**
 * A file begins with two meta pages, of which the one with the higher transaction counts. Where things stand in one, behind the
 * page header of the LMDB that lmdb-js builds: LMDB's number (MDB_MAGIC), the size of a page, the last page, the transaction.
 */
const meta = { magicAt: 24, pageBytesAt: 48, lastPageAt: 144, transactionAt: 152, bytes: 160 };
const magic = 0xbeefc0de;
const pageBytesMin = 512;
const pageBytesMax = 65_536;
const bytesMax = 2 ** 40;
const statsSchema = z.object({ entryCount: z.number() });

export interface LmdbStoreOptions {
  /** The store's folder; created where it is missing. */
  readonly path: string;
  /** Schema version of what its owner keeps in it. */
  readonly version: string;
}

export async function openLmdbStore(options: LmdbStoreOptions): Promise<StoreOpening> {
  const { path, version } = options;
  let root: RootDatabase<unknown, string> | undefined;
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK);
    if (freeBytes(path) < nearlyFullBytes) return refused(diskFull(path)); // LMDB would end the process
    if (existsSync(join(path, storeFile)) && !prepareFile(join(path, storeFile))) {
      const message = `${join(path, storeFile)} is not a store; move it away to start anew.`;
      return refused({ kind: "damaged", message });
    }
    root = open<unknown, string>({
      path: join(path, storeFile),
      noSubdir: true,
      maxDbs: 2,
      overlappingSync: false,
    });
    const about = root.openDB<string, string>({ name: "about" });
    const entries = root.openDB<unknown, string>({ name: "entries" });
    const found = about.get(versionKey);
    if (found === undefined) {
      about.putSync(versionKey, version);
      await about.flushed;
    } else if (found !== version) {
      await root.close();
      return refused({
        kind: "another-version",
        found,
        message: `The store in ${path} was written by version ${found}; this program reads version ${version}.`,
      });
    }
    return { kind: "opened", store: new LmdbStore(root, entries, path) };
  } catch (error) {
    await root?.close().catch(() => undefined);
    return refused(refusalOf(error, path));
  }
}

class LmdbStore implements Store {
  readonly #root: RootDatabase<unknown, string>;
  readonly #entries: Database<unknown, string>;
  readonly #path: string;
  #closed = false;

  constructor(root: RootDatabase<unknown, string>, entries: Database<unknown, string>, path: string) {
    this.#root = root;
    this.#entries = entries;
    this.#path = path;
  }

  get(key: string): unknown {
    this.#assertOpen();
    return this.#entries.get(key);
  }

  *range(prefix: string): Iterable<[string, unknown]> {
    this.#assertOpen();
    for (const { key, value } of this.#entries.getRange(prefix === "" ? {} : { start: prefix })) {
      if (!key.startsWith(prefix)) return;
      yield [key, value];
    }
  }

  count(): number {
    this.#assertOpen();
    return statsSchema.parse(this.#entries.getStats()).entryCount;
  }

  async write(changes: StoreChanges): Promise<void> {
    assertKeys(changes);
    this.#assertOpen();
    try {
      // Synchronous on purpose: lmdb-js reports a failed asynchronous commit (a full disk) through promises of its own
      // that nobody can await, which ends the process. An error half way takes the whole write back.
      this.#entries.transactionSync(() => {
        for (const [key, value] of changes.put) this.#entries.putSync(key, value);
        for (const key of changes.remove) this.#entries.removeSync(key);
      });
      // A commit may come before its flush; only the flush is a promise kept.
      await this.#entries.flushed;
    } catch (error) {
      throw writeError(error, this.#path);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#root.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError("closed", `The store in ${this.#path} is closed.`);
  }
}

/**
 * False for a file that is no LMDB file: opening one ends the process instead of throwing. So does reading beyond the end of a
 * file that was cut off; it is filled up with nothing, which reads as the damage that it is.
 */
function prepareFile(file: string): boolean {
  const descriptor = openSync(file, "r+");
  try {
    const { size } = fstatSync(descriptor);
    if (size === 0) return true;
    const first = readMeta(descriptor, 0);
    const second = first === null ? null : readMeta(descriptor, first.pageBytes);
    if (first === null || second === null) return false;
    const newest = second.transaction > first.transaction ? second : first;
    const whole = (newest.lastPage + 1) * first.pageBytes;
    if (size < whole) ftruncateSync(descriptor, whole);
    return true;
  } finally {
    closeSync(descriptor);
  }
}

function readMeta(descriptor: number, at: number) {
  const page = Buffer.alloc(meta.bytes);
  if (readSync(descriptor, page, 0, page.length, at) < page.length) return null;
  if (page.readUInt32LE(meta.magicAt) !== magic) return null;
  const pageBytes = page.readUInt32LE(meta.pageBytesAt);
  const lastPage = Number(page.readBigUInt64LE(meta.lastPageAt));
  // A last page beyond anything there could be is damage too, and not to be filled up.
  if (pageBytes < pageBytesMin || pageBytes > pageBytesMax || lastPage * pageBytes > bytesMax) return null;
  return { pageBytes, lastPage, transaction: page.readBigUInt64LE(meta.transactionAt) };
}

function refused(refusal: StoreRefusal): StoreOpening {
  return { kind: "refused", refusal };
}

function diskFull(path: string): StoreRefusal {
  return { kind: "disk-full", message: `The disk that holds ${path} is full; free some space.` };
}

function refusalOf(error: unknown, path: string): StoreRefusal {
  if (isDiskFull(error, path)) return diskFull(path);
  const text = errorSentence(error);
  if (/INVALID|not an LMDB|CORRUPTED|VERSION_MISMATCH|PAGE_NOTFOUND|Invalid argument/i.test(text)) {
    return {
      kind: "damaged",
      message: `${join(path, storeFile)} is not a store (${text}); move it away to start anew.`,
    };
  }
  return { kind: "not-writable", message: `The store's folder ${path} cannot be written (${text}).` };
}

function writeError(error: unknown, path: string): StoreError {
  if (isDiskFull(error, path)) {
    return new StoreError("disk-full", `The disk that holds ${path} is full: nothing was stored.`, {
      cause: error,
    });
  }
  return new StoreError("failed", `Writing to the store in ${path} failed: ${errorSentence(error)}.`, {
    cause: error,
  });
}

function isDiskFull(error: unknown, path: string): boolean {
  if (/input\/output error/i.test(errorSentence(error))) return freeBytes(path) < nearlyFullBytes; // LMDB's word for a short write
  return /ENOSPC|no space left|EDQUOT|quota exceeded|MAP_FULL/i.test(errorSentence(error));
}

function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}
