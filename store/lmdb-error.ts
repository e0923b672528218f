/** What LMDB and the disk below it throw, in sentences that name the folder and the reason. */
import { errorSentence } from "../protocol/error-sentence.ts";
import { freeBytes, nearlyFullBytes } from "./lmdb-file.ts";
import { StoreError, type StoreRefusal } from "./store.ts";

/** LMDB's own words for what it finds in a file; those of limits are ours to keep, and no damage. */
const damagePattern =
  /MDB_(?:CORRUPTED|PAGE_NOTFOUND|INVALID|VERSION_MISMATCH|PANIC|CURSOR_FULL|BAD_TXN|BAD_DBI|PROBLEM|INCOMPATIBLE|BAD_VALSIZE|TLS_FULL)|not an LMDB|Invalid argument|fatal error/i;
const fullPattern = /ENOSPC|no space left|EDQUOT|quota exceeded|MAP_FULL/i;
/** LMDB's word for a short write. */
const ioPattern = /input\/output error/i;

export function fullSentence(path: string): string {
  return `The disk that holds ${path} is full: nothing was stored.`;
}

export function diskFull(path: string): StoreRefusal {
  return { kind: "disk-full", message: `The disk that holds ${path} is full; free some space.` };
}

export function damagedStore(path: string, why: string): StoreRefusal {
  return {
    kind: "damaged",
    why,
    message: `The store in ${path} is damaged (${why}); move it away to start anew.`,
  };
}

export function refusalOf(error: unknown, path: string): StoreRefusal {
  if (isDiskFull(error, path)) return diskFull(path);
  const text = errorSentence(error);
  if ((error instanceof StoreError && error.kind === "damaged") || damagePattern.test(text))
    return damagedStore(path, text);
  return {
    kind: "not-writable",
    message: `The store's folder ${path} cannot be written (${reasonOf(text)}).`,
  };
}

/** A StoreError stays what it is. */
export function writeError(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const cause = { cause: error };
  if (isDiskFull(error, path)) return new StoreError("disk-full", fullSentence(path), cause);
  const text = errorSentence(error);
  if (damagePattern.test(text))
    return new StoreError("damaged", `The store in ${path} is damaged (${text}).`, cause);
  return new StoreError("failed", `Writing to the store in ${path} failed: ${reasonOf(text)}.`, cause);
}

function isDiskFull(error: unknown, path: string): boolean {
  const text = errorSentence(error);
  return fullPattern.test(text) || (ioPattern.test(text) && freeBytes(path) < nearlyFullBytes);
}

/** The system's words without the call and the path, which are said anyway. */
function reasonOf(text: string): string {
  return /^E[A-Z]+: ([^,]+),/.exec(text)?.[1] ?? text;
}
