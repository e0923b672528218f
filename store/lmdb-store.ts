// The store on disk, by LMDB. Values are msgpack, each behind a checksum (`checked-entry.ts`). One process per folder writes; the
// folder's schema version is checked when it is opened, never migrated here; one from before checksums gets them.

import { accessSync, constants, existsSync, statSync } from "node:fs";
import { join } from "node:path";

import { open, type Database, type RootDatabase } from "lmdb";

import {
  openEntry,
  openSummary,
  sealEntry,
  sealSummary,
  summaryKey,
  Tally,
  type Summary,
} from "./checked-entry.ts";
import {
  checkedSuffix,
  entryCount,
  faultOf,
  packerOf,
  table,
  versionKey,
  type Packer,
} from "./inspect-store.ts";
import { nearlyFullBytes, freeBytes, prepareFile, storeFile } from "./lmdb-file.ts";
import { damagedStore, diskFull, fullSentence, refusalOf, writeError } from "./lmdb-error.ts";
import { assertKeys, StoreError, type Store, type StoreChanges, type StoreOpening } from "./store.ts";
import { makeFolderSync } from "../system/make-folder.ts";

/** Entries that get their checksums in one transaction. */
const liftedAtOnce = 1_000;

export interface LmdbStoreOptions {
  /** The store's folder; created where it is missing. */
  readonly path: string;
  /** Schema version of what its owner keeps in it. */
  readonly version: string;
  /** Told that it was closed, and why not for good: damage it met. */
  readonly onEnd?: (damage: string | null) => void;
}

export async function openLmdbStore(options: LmdbStoreOptions): Promise<StoreOpening> {
  const { path, version } = options;
  const file = join(path, storeFile);
  let root: RootDatabase<unknown, string> | undefined;
  try {
    makeFolderSync(path);
    accessSync(path, constants.W_OK);
    // LMDB would end the process over either.
    if (freeBytes(path) < nearlyFullBytes) return { kind: "refused", refusal: diskFull(path) };
    if (existsSync(file) && !prepareFile(file))
      return { kind: "refused", refusal: damagedStore(path, "its file is not a store") };
    root = open<unknown, string>({ path: file, noSubdir: true, maxDbs: 3, overlappingSync: false });
    const versions = root.openDB<string, string>({ name: table.about });
    const found = versions.get(versionKey);
    if (found === undefined) await begin(root, version);
    else if (found === version) await addChecksums(root, version);
    else if (found !== version + checkedSuffix) {
      await root.close();
      const written = found.endsWith(checkedSuffix) ? found.slice(0, -checkedSuffix.length) : found;
      const message = `The store in ${path} was written by version ${written}; this program reads version ${version}.`;
      return { kind: "refused", refusal: { kind: "another-version", found: written, message } };
    }
    const summary = openSummary(tablesOf(root).about.get(summaryKey));
    if (summary !== null) return { kind: "opened", store: new LmdbStore(root, summary, options) };
    await root.close();
    return { kind: "refused", refusal: damagedStore(path, "the record of what it should hold is gone") };
  } catch (error) {
    await root?.close().catch(() => undefined);
    return { kind: "refused", refusal: refusalOf(error, path) };
  }
}

interface Tables {
  readonly about: Database<Buffer, string>;
  readonly entries: Database<Buffer, string>;
}

function tablesOf(root: RootDatabase<unknown, string>): Tables {
  return {
    about: root.openDB<Buffer, string>({ name: table.about, encoding: "binary" }),
    entries: root.openDB<Buffer, string>({ name: table.checked, encoding: "binary" }),
  };
}

async function begin(root: RootDatabase<unknown, string>, version: string): Promise<void> {
  const { about } = tablesOf(root);
  const versions = root.openDB<string, string>({ name: table.about });
  root.transactionSync(() => {
    about.putSync(summaryKey, sealSummary({ version, count: 0, sum: 0 }));
    versions.putSync(versionKey, version + checkedSuffix);
  });
  await root.flushed;
}

/** Of a store from before them: what it holds is taken as it is. Cut short, it is begun again by the next opening. */
async function addChecksums(root: RootDatabase<unknown, string>, version: string): Promise<void> {
  const { about, entries } = tablesOf(root);
  const unchecked = root.openDB<Buffer, string>({ name: table.unchecked, encoding: "binary" });
  const versions = root.openDB<string, string>({ name: table.about });
  const tally = new Tally();
  let some: [string, Buffer][] = [];
  const write = () => {
    root.transactionSync(() => {
      for (const [key, sealed] of some) entries.putSync(key, sealed);
    });
    some = [];
  };
  for (const { key, value } of unchecked.getRange({})) {
    const sealed = sealEntry(key, value);
    tally.add(sealed.readUInt32LE(0));
    some.push([key, sealed]);
    if (some.length >= liftedAtOnce) write();
  }
  write();
  root.transactionSync(() => {
    about.putSync(summaryKey, sealSummary({ version, count: tally.count, sum: tally.sum }));
    versions.putSync(versionKey, version + checkedSuffix);
  });
  await root.flushed;
  unchecked.clearSync();
}

class LmdbStore implements Store {
  readonly #root: RootDatabase<unknown, string>;
  readonly #tables: Tables;
  readonly #packer: Packer;
  readonly #options: LmdbStoreOptions;
  readonly #file: string;
  /** Which file it is, and how long it was when last seen: a shorter one was cut off, and reading it would end the process. */
  readonly #inode: number;
  #fileBytes: number;
  #summary: Summary;
  #damage: string | null = null;
  #closed = false;

  constructor(root: RootDatabase<unknown, string>, summary: Summary, options: LmdbStoreOptions) {
    this.#root = root;
    this.#tables = tablesOf(root);
    this.#packer = packerOf(root);
    this.#options = options;
    this.#file = join(options.path, storeFile);
    const { ino, size } = statSync(this.#file);
    this.#inode = ino;
    this.#fileBytes = size;
    this.#summary = summary;
  }

  get(key: string): unknown {
    this.#assertUsable();
    return this.#guarded(() => {
      const sealed = this.#tables.entries.get(key);
      return sealed === undefined ? undefined : this.#open(key, sealed);
    });
  }

  *range(prefix: string): Iterable<[string, unknown]> {
    this.#assertUsable();
    const found = this.#tables.entries.getRange(prefix === "" ? {} : { start: prefix })[Symbol.iterator]();
    try {
      for (;;) {
        const next = this.#guarded(() => found.next());
        if (next.done === true) return;
        const { key, value } = next.value;
        if (!key.startsWith(prefix)) return;
        yield [key, this.#open(key, value)];
      }
    } finally {
      found.return?.();
    }
  }

  count(): number {
    this.#assertUsable();
    return entryCount(this.#tables.entries);
  }

  fault(): string | null {
    this.#assertUsable();
    const fault = faultOf(this.#tables.entries, this.#summary);
    if (fault !== null) this.#damage ??= fault;
    return fault;
  }

  async write(changes: StoreChanges): Promise<void> {
    assertKeys(changes);
    this.#assertUsable();
    // LMDB has words of its own for a disk that is full, which it does not keep to itself.
    if (freeBytes(this.#options.path) < nearlyFullBytes)
      throw new StoreError("disk-full", fullSentence(this.#options.path));
    const { about, entries } = this.#tables;
    const tally = new Tally(this.#summary);
    try {
      // Synchronous on purpose: lmdb-js reports a failed asynchronous commit (a full disk) through promises of its own
      // that nobody can await, which ends the process. An error half way takes the whole write back.
      entries.transactionSync(() => {
        for (const [key, value] of changes.put) {
          const sealed = sealEntry(key, this.#packer.encode(value));
          this.#takeOut(key, tally);
          tally.add(sealed.readUInt32LE(0));
          entries.putSync(key, sealed);
        }
        for (const key of changes.remove) {
          this.#takeOut(key, tally);
          entries.removeSync(key);
        }
        about.putSync(summaryKey, sealSummary({ ...this.#summary, count: tally.count, sum: tally.sum }));
      });
      this.#summary = { ...this.#summary, count: tally.count, sum: tally.sum };
      // A commit may come before its flush; only the flush is a promise kept.
      await entries.flushed;
      if (!this.#closed) this.#fileBytes = Math.max(this.#fileBytes, statSync(this.#file).size);
    } catch (error) {
      throw this.#told(writeError(error, this.#options.path));
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#root.close();
    this.#options.onEnd?.(this.#damage);
  }

  #takeOut(key: string, tally: Tally): void {
    const sealed = this.#tables.entries.get(key);
    if (sealed === undefined) return;
    const entry = openEntry(key, sealed);
    if (entry === null) throw this.#damaged(`${key} is not what was written there`);
    tally.remove(entry.checksum);
  }

  #open(key: string, sealed: Buffer): unknown {
    const entry = openEntry(key, sealed);
    if (entry === null) throw this.#damaged(`${key} is not what was written there`);
    return this.#packer.decode(entry.bytes);
  }

  /** What LMDB throws where nothing is written is damage. */
  #guarded<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof StoreError) throw error;
      throw this.#told(writeError(error, this.#options.path));
    }
  }

  #assertUsable(): void {
    const { path } = this.#options;
    if (this.#closed) throw new StoreError("closed", `The store in ${path} is closed.`);
    const found = statSync(this.#file, { throwIfNoEntry: false });
    if (found?.ino !== this.#inode) throw this.#damaged("its file was deleted or moved away");
    if (found.size < this.#fileBytes) throw this.#damaged("its file was cut off");
  }

  #damaged(what: string): StoreError {
    const { path } = this.#options;
    this.#damage ??= what;
    return this.#told(new StoreError("damaged", `The store in ${path} is damaged (${what}).`));
  }

  #told(error: StoreError): StoreError {
    // After a failed write of its first page LMDB wants to be opened anew; the file is what it was before.
    if (error.kind === "damaged" && !error.message.includes("MDB_PANIC")) this.#damage ??= error.message;
    return error;
  }
}
