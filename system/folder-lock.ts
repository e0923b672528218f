/**
 * One process at a time does a named work in a folder. The lock is a folder holding one file named for its holder:
 * making it, and taking it from a holder that is gone, are single renames, so that two who try never both succeed.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { partSuffix } from "./partial-file.ts";

const pollMs = 500;
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
  mkdirSync(folder, { recursive: true });
  const lock = join(folder, `.lock-${name}`);
  let told = false;
  while (!signal.aborted) {
    const mine = `${process.pid}-${startOf(process.pid) ?? ""}`;
    if (create(folder, lock, mine)) return release(lock, mine);
    const holder = holderOf(lock);
    if (holder !== null && !isAlive(holder)) {
      if (move(join(lock, holder), join(lock, mine))) return release(lock, mine);
      continue;
    }
    if (!told && holder !== null) waiting(pidOf(holder));
    told = true;
    await sleep(pollMs, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

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
    if (error instanceof Error && "code" in error && taken.has(String(error.code))) return false;
    throw error;
  }
}

function release(lock: string, mine: string): FolderLock {
  return {
    release: () => {
      rmSync(join(lock, mine), { force: true });
      // An empty folder counts as no lock, and one in which somebody's file stands by now is not removed.
      try {
        rmdirSync(lock);
      } catch {
        // It is theirs.
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
function isAlive(holder: string): boolean {
  const pid = pidOf(holder);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  if (!processIsAlive(pid)) return false;
  const started = startOf(pid);
  return started === null || holder === `${pid}-${started}`;
}

export function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** When it started, in ticks since the machine did; null where the system does not say. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name, in brackets, may hold anything.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
  } catch {
    return null;
  }
}
