/**
 * An index that several processes of a machine write at once: keys and values in an LMDB file, one change at a time among all of them.
 * It is a cache of what lies beside it, never the only record of anything: nothing is flushed, and what the machine's last start or
 * a process that ended badly left is thrown away and made anew (`fill`), as is a file that is not as the last process closed it: LMDB
 * reads a damaged page as one with nothing in it. Not `store.ts`, which is one process's own memory.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { open, type RootDatabase } from "lmdb";
import { bytesPerGiB } from "../protocol/byte-unit.ts";
import { isSameProcess, startOfProcess } from "../system/process-alive.ts";
import { tryLock } from "../system/folder-lock.ts";
import { makeFolderSync } from "../system/make-folder.ts";
import { checksumOf, freeBytes, lockSuffix, nearlyFullBytes } from "./lmdb-file.ts";
import { fullSentence, writeError } from "./lmdb-error.ts";
import { StoreError } from "./store.ts";

export interface SharedEntries {
  get(key: string): unknown;
  /** Keys that begin with `prefix`, in order. Whoever changes them meanwhile first reads all of it. */
  range(prefix: string): Iterable<[string, unknown]>;
  put(key: string, value: unknown): void;
  remove(key: string): void;
}

export interface SharedStoreOptions {
  readonly folder: string;
  /** Of what is kept in it: another version's file is left alone. */
  readonly version: string;
  /** Puts in what can be told from elsewhere; called inside a change, when the file is new. */
  readonly fill: (entries: SharedEntries) => void;
  /** What this process itself had put in and others rely on, put in again where the file had to be made anew. */
  readonly refill: (entries: SharedEntries) => void;
}

const mapBytesMax = 4 * bytesPerGiB;
const filledKey = "filled";
/** An index that is made anew this often within one change is not going to be usable. */
const attemptsMax = 3;
const lockWaitMs = 20;
const readersMax = 512;
/** Of this process: each has a mark of its own. */
let opened = 0;

/** Tells a process from one that is given its number later. */
export function processName(): string {
  return `${process.pid}-${startOfProcess(process.pid) ?? ""}`;
}

/** Whether the process of that name lives. */
export function isLiving(name: string): boolean {
  const [pid = "", started = ""] = name.split("-");
  return Number(pid) > 0 && isSameProcess(Number(pid), started === "" ? null : started);
}

/** What the caller's work threw, which is not the file's. */
class WorkError extends Error {}
/** What LMDB threw within it. */
class EntryError extends Error {}

export class SharedStore {
  readonly #options: SharedStoreOptions;
  readonly #file: string;
  readonly #mark: string;
  #root: RootDatabase<unknown, string> | null = null;
  #inode = 0;
  #closed = false;

  /** Throws the system's error, or StoreError. */
  constructor(options: SharedStoreOptions) {
    const { folder, version } = options;
    this.#options = options;
    // A file of an earlier start of the machine may be what a loss of power left: nobody looks at it.
    this.#file = join(folder, `${version}-${startOfMachine()}.lmdb`);
    makeFolderSync(folder, 0o700);
    this.#mark = join(folder, `${userMark}${processName()}-${++opened}`);
    this.#sweep();
    try {
      this.change(() => undefined);
    } catch (error) {
      rmSync(this.#mark, { force: true });
      throw error;
    }
  }

  read<T>(work: (entries: Pick<SharedEntries, "get" | "range">) => T): T {
    // Outside a change LMDB shows one moment for as long as the process does not wait: others' changes come with this.
    return this.#withRoot((root) => {
      root.resetReadTxn();
      return worked(() => work(entriesOf(root)));
    });
  }

  /** All of it or, where `work` throws, nothing; no other process changes anything meanwhile. Throws StoreError and what `work` throws. */
  change<T>(work: (entries: SharedEntries) => T): T {
    return this.#withRoot((root) => {
      // LMDB has words of its own for a disk that is full, which it does not keep to itself.
      if (freeBytes(this.#options.folder) < nearlyFullBytes)
        throw new StoreError("disk-full", fullSentence(this.#options.folder));
      return root.transactionSync(() => worked(() => work(entriesOf(root))));
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#root?.close();
    this.#root = null;
    const lock = lockFor(this.#options.folder);
    try {
      rmSync(this.#mark, { force: true });
      if (!this.#users().hasLiving) writeFileSync(this.#sumFile, this.#sum());
    } catch {
      // Without its sum it is made anew.
    } finally {
      lock.release();
    }
  }

  #withRoot<T>(work: (root: RootDatabase<unknown, string>) => T): T {
    if (this.#closed) throw new StoreError("closed", "The index is closed.");
    for (let attempt = 1; ; attempt++) {
      try {
        return work(this.#usable());
      } catch (error) {
        if (error instanceof WorkError) throw error.cause;
        const why = writeError(error instanceof EntryError ? error.cause : error, this.#options.folder);
        if (why.kind !== "damaged" || attempt === attemptsMax) throw why;
        this.#throwAway();
      }
    }
  }

  /** Open, and the file that others have open too. */
  #usable(): RootDatabase<unknown, string> {
    const found = statSync(this.#file, { throwIfNoEntry: false });
    if (this.#root !== null && found?.ino === this.#inode) return this.#root;
    const isAgain = this.#root !== null;
    void this.#root?.close().catch(() => undefined);
    this.#root = null;
    const root = open<unknown, string>({
      path: this.#file,
      noSubdir: true,
      noSync: true,
      overlappingSync: false,
      mapSize: mapBytesMax,
      maxReaders: readersMax,
    });
    // Those of processes that were killed keep old pages from being used again.
    root.readerCheck();
    root.transactionSync(() => {
      const entries = entriesOf(root);
      if (entries.get(filledKey) !== true) {
        this.#options.fill(entries);
        entries.put(filledKey, true);
      }
      if (isAgain) this.#options.refill(entries);
    });
    this.#root = root;
    this.#inode = statSync(this.#file).ino;
    return root;
  }

  #throwAway(): void {
    void this.#root?.close().catch(() => undefined);
    this.#root = null;
    this.#inode = -1;
    for (const path of [this.#file, this.#file + lockSuffix]) rmSync(path, { force: true });
  }

  /** Where nobody has it open and the last who had did not close it, it may be what ended them; or it was damaged since. */
  #sweep(): void {
    const { folder } = this.#options;
    const lock = lockFor(folder);
    try {
      const { dead, hasLiving } = this.#users();
      for (const mark of dead) rmSync(mark, { force: true });
      if (!hasLiving) {
        if (dead.length > 0 || !this.#isAsClosed()) this.#throwAway();
        for (const name of readdirSync(folder))
          if (/\.lmdb(?:-lock)?$/.test(name) && !join(folder, name).startsWith(this.#file))
            rmSync(join(folder, name), { force: true });
      }
      rmSync(this.#sumFile, { force: true });
      writeFileSync(this.#mark, "");
    } finally {
      lock.release();
    }
  }

  /** Marks of processes that are gone, and whether any has it open. */
  #users(): { readonly dead: readonly string[]; readonly hasLiving: boolean } {
    const { folder } = this.#options;
    const marks = readdirSync(folder).filter((name) => name.startsWith(userMark));
    const dead = marks.filter((name) => !isLiving(name.slice(userMark.length)));
    return { dead: dead.map((name) => join(folder, name)), hasLiving: dead.length < marks.length };
  }

  get #sumFile(): string {
    return join(this.#options.folder, "closed");
  }

  /** Of the file, and of which file. */
  #sum(): string {
    return `${basename(this.#file)} ${checksumOf(this.#file)}`;
  }

  #isAsClosed(): boolean {
    try {
      return readFileSync(this.#sumFile, "utf8") === this.#sum();
    } catch {
      return false;
    }
  }
}

const userMark = "user-";

/** As they begin: for a moment, by one process after the other. */
function lockFor(folder: string): { release(): void } {
  for (;;) {
    const claim = tryLock(folder, "opening");
    if (claim.held) return claim.lock;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lockWaitMs);
  }
}

/** The same until the machine starts again; where no system says it, always the same. */
function startOfMachine(): string {
  const file = "/proc/sys/kernel/random/boot_id";
  return existsSync(file) ? readFileSync(file, "utf8").trim() : "any";
}

function worked<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof EntryError ? error : new WorkError("the work failed", { cause: error });
  }
}

function entriesOf(root: RootDatabase<unknown, string>): SharedEntries {
  const guarded = <T>(access: () => T): T => {
    try {
      return access();
    } catch (error) {
      throw new EntryError("LMDB failed", { cause: error });
    }
  };
  return {
    get: (key) => guarded((): unknown => root.get(key)),
    *range(prefix) {
      const found = guarded(() => root.getRange({ start: prefix, snapshot: false })[Symbol.iterator]());
      try {
        for (;;) {
          const next = guarded(() => found.next());
          if (next.done === true || !next.value.key.startsWith(prefix)) return;
          yield [next.value.key, next.value.value];
        }
      } finally {
        found.return?.();
      }
    },
    put: (key, value) => guarded(() => root.putSync(key, value)),
    remove: (key) => void guarded(() => root.removeSync(key)),
  };
}
