/**
 * One process at a time does a named work in a folder. The lock is a folder holding one file named for its holder:
 * making it, and taking it from a holder that is gone, are single renames, so that two who try never both succeed.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { partSuffix } from "./partial-file.ts";
import { isSameProcess, startOfProcess } from "./process-alive.ts";
import { systemCode } from "./system-error.ts";
import { makeFolderSync } from "./make-folder.ts";

const pollMs = 500;
const attemptsMax = 3;
/** What systems answer to a rename onto a folder that holds something. */
const taken = new Set(["ENOTEMPTY", "EEXIST", "EPERM"]);

export interface FolderLock {
  release(): void;
}

/** Waits for it; `waiting` is called once, with the holder's process id. Null when `signal` came first. */
export async function claimLock(
  folder: string,
  name: string,
  signal: AbortSignal,
  waiting: (holder: number) => void,
): Promise<FolderLock | null> {
  let told = false;
  while (!signal.aborted) {
    const claim = tryLock(folder, name);
    if (claim.held) return claim.lock;
    if (!told && claim.holder !== null) waiting(claim.holder);
    told ||= claim.holder !== null;
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

export type LockClaim =
  | { readonly held: true; readonly lock: FolderLock }
  /** The process that has it; null while it changes hands. */
  | { readonly held: false; readonly holder: number | null };

/** The lock, or who has it just now. Throws the system's error where the folder cannot be made or written. */
export function tryLock(folder: string, name: string): LockClaim {
  makeFolderSync(folder);
  const lock = lockOf(folder, name);
  const mine = `${process.pid}-${startOfProcess(process.pid) ?? ""}`;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (create(folder, lock, mine)) return { held: true, lock: take(lock, mine) };
    const holder = holderOf(lock);
    if (holder === null) continue; // It has just been let go.
    if (isAlive(holder, lock)) return { held: false, holder: pidOf(holder) };
    if (move(join(lock, holder), join(lock, mine))) return { held: true, lock: take(lock, mine) };
  }
  return { held: false, holder: null };
}

/** The process that has it just now; null where none has. */
export function lockHolder(folder: string, name: string): number | null {
  const lock = lockOf(folder, name);
  const holder = holderOf(lock);
  return holder !== null && isAlive(holder, lock) ? pidOf(holder) : null;
}

function lockOf(folder: string, name: string): string {
  return join(folder, `.lock-${name}`);
}

/** Where the system says of no process when it started, only this tells an own lock from one of an earlier process of this id. */
const ownLocks = new Set<string>();

/** A folder renamed onto one that is there and not empty is refused by the system. */
function create(folder: string, lock: string, mine: string): boolean {
  const draft = join(folder, `.draft-${randomUUID()}${partSuffix}`);
  try {
    mkdirSync(draft);
    writeFileSync(join(draft, mine), "");
    renameSync(draft, lock);
    return true;
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (taken.has(systemCode(error) ?? "")) return false;
    throw error;
  }
}

function take(lock: string, mine: string): FolderLock {
  ownLocks.add(lock);
  return {
    release: () => {
      ownLocks.delete(lock);
      try {
        rmSync(join(lock, mine), { force: true });
        // An empty folder counts as no lock, and one in which somebody's file stands by now is not removed.
        rmdirSync(lock);
      } catch {
        // It is theirs; or the disk refuses, and it ends with this process.
      }
    },
  };
}

function move(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

function holderOf(lock: string): string | null {
  try {
    return readdirSync(lock)[0] ?? null;
  } catch {
    return null;
  }
}

function pidOf(holder: string): number {
  return Number(holder.split("-")[0]);
}

/** The same process, not one that was given its number later. */
function isAlive(holder: string, lock: string): boolean {
  const pid = pidOf(holder);
  if (pid === process.pid) return ownLocks.has(lock);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const started = holder.slice(holder.indexOf("-") + 1);
  return isSameProcess(pid, started === "" ? null : started);
}
