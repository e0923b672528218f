// Opens a store on disk that may be damaged. Reading damage can end the process, where LMDB throws nothing, so another process
// reads all of it first. A mark beside the file says that the store is open, or what was found wrong with it while it was.

import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";

import { bytesPerMiB } from "../protocol/byte-unit.ts";
import { compactFile, lockSuffix, prepareFile, storeFile, storeIsThere } from "./lmdb-file.ts";
import { damagedStore, refusalOf } from "./lmdb-error.ts";
import { openLmdbStore, type LmdbStoreOptions } from "./lmdb-store.ts";
import type { StoreOpening } from "./store.ts";
import { makeFolderSync } from "../system/make-folder.ts";

export type ChildEnvironment = () => Readonly<Record<string, string | undefined>>;

export interface CheckedStoreOptions extends LmdbStoreOptions {
  /** Of the process that reads first; asked for once one is started. */
  readonly environment?: ChildEnvironment;
}

/** Empty, or the damage. */
const markFile = "in-use";
/** How a child ends that has read damage and lived. */
export const foundDamage = 3;
/** How one ends that has not: by the system's word for a page that is not there, or by LMDB's own. Any other end says nothing. */
const endedByDamage: ReadonlySet<NodeJS.Signals> = new Set([
  "SIGBUS",
  "SIGSEGV",
  "SIGABRT",
  "SIGILL",
  "SIGFPE",
]);

/** STORE-11: as `openLmdbStore`; refuses as damaged what is not as it was written. Its caller alone has the folder. */
export async function openCheckedStore(options: CheckedStoreOptions): Promise<StoreOpening> {
  const { path } = options;
  const mark = join(path, markFile);
  let changed = false;
  try {
    makeFolderSync(path);
    // Of a process that is gone; LMDB believes what it finds there.
    rmSync(join(path, storeFile + lockSuffix), { force: true });
    changed = changedSinceClosed(path);
    const fault = storeIsThere(path) ? await faultIn(path, options.environment) : null;
    if (fault !== null) return { kind: "refused", refusal: damagedStore(path, fault) };
    writeFileSync(mark, "");
    rmSync(join(path, closedFile), { force: true });
  } catch (error) {
    return { kind: "refused", refusal: refusalOf(error, path) };
  }
  const opening = await openLmdbStore({
    ...options,
    onEnd: (damage) => {
      try {
        if (damage !== null) writeFileSync(mark, damage);
        else {
          rmSync(mark, { force: true });
          noteClosed(path);
        }
      } catch {
        // Then it is read through again, which is what a mark leads to.
      }
      options.onEnd?.(damage);
    },
  });
  if (opening.kind === "opened") return changed ? { ...opening, note: changedNote(path) } : opening;
  rmSync(mark, { force: true });
  return opening;
}

/** Length and checksum of the file, as it was closed. */
const closedFile = "closed";

function noteClosed(path: string): void {
  const file = join(path, storeFile);
  if (statSync(file).size <= compactMaxBytes) writeFileSync(join(path, closedFile), fingerprintOf(file));
}

/** Whether the file is another than the one that was closed; false where nobody noted that. */
function changedSinceClosed(path: string): boolean {
  const [file, noted] = [join(path, storeFile), join(path, closedFile)];
  return storeIsThere(path) && existsSync(noted) && readFileSync(noted, "utf8") !== fingerprintOf(file);
}

function fingerprintOf(file: string): string {
  const bytes = readFileSync(file);
  return `${bytes.length} ${crc32(bytes)}`;
}

function changedNote(path: string): string {
  return `the file of the store in ${path} was damaged where it held nothing; all it holds is as it was, and was written anew`;
}

/**
 * What LMDB keeps for later writes shows its damage only when it is written to, and then nobody knows what goes over what. So
 * a store is opened without that; a large one, for which it takes long, only after a process that ended in the middle of its work.
 */
const compactMaxBytes = 256 * bytesPerMiB;

async function faultIn(path: string, environment?: ChildEnvironment): Promise<string | null> {
  const mark = join(path, markFile);
  const left = existsSync(mark) ? readFileSync(mark, "utf8") : null;
  if (left !== null && left !== "") return left;
  if (!prepareFile(join(path, storeFile))) return "its file is not a store";
  rmSync(join(path, compactFile), { force: true });
  const compact = left !== null || statSync(join(path, storeFile)).size <= compactMaxBytes;
  const fault = await faultByChild(path, compact ? ["compact"] : [], environment);
  if (fault === null) takeCompact(path);
  return fault;
}

function takeCompact(path: string): void {
  const written = join(path, compactFile);
  if (existsSync(written)) {
    const file = openSync(written, "r+");
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(written, join(path, storeFile));
  }
  for (const name of [storeFile, compactFile]) rmSync(join(path, name + lockSuffix), { force: true });
}

/** Null too where the child could not be had: then the reading is this process's own. */
async function faultByChild(
  path: string,
  more: readonly string[],
  environment: ChildEnvironment = () => process.env,
): Promise<string | null> {
  const here = fileURLToPath(import.meta.url);
  const entry = fileURLToPath(new URL(`./read-store-child${extname(here)}`, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, entry, path, ...more], {
    env: environment(),
    stdio: ["ignore", "pipe", "ignore"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  return new Promise((resolve) => {
    child.once("error", () => resolve(null));
    child.once("close", (code, signal) => {
      if (signal !== null && endedByDamage.has(signal)) resolve(`reading it ends a process by ${signal}`);
      else resolve(code === foundDamage ? (said.split("\n")[0] ?? "") : null);
    });
  });
}

/** Puts a store's file aside, so that a new one can begin, and returns where it lies now. `at`: names it, ms. */
export function moveStoreAside(path: string, at: number): string {
  const aside = join(path, `damaged-${new Date(at).toISOString().replaceAll(/[-:.]/g, "")}.lmdb`);
  renameSync(join(path, storeFile), aside);
  rmSync(join(path, storeFile + lockSuffix), { force: true });
  for (const name of [markFile, closedFile]) rmSync(join(path, name), { force: true });
  return aside;
}
