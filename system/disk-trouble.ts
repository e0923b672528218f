/** What a disk refuses for now: no room, no writing, a failure of its own. DISK-1: waited out, with a word on where and why. */
import { setTimeout as sleep } from "node:timers/promises";
import { systemCode } from "./system-error.ts";

const pauseMs = 1_000;

const troubles: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "the disk is full"],
  ["EDQUOT", "the disk quota is used up"],
  ["EROFS", "the file system is read-only"],
  ["EIO", "the disk fails to read or write"],
]);

/** In a few words; null for an error of another kind, which waiting does not heal. */
export function diskTrouble(error: unknown): string | null {
  return troubles.get(systemCode(error) ?? "") ?? null;
}

/**
 * Does the work, and again after a while where the disk refuses it. `tell` hears why, once for each reason, and that it went on.
 * Throws the work's error where it is none of the disk's, or `goesOn` says no.
 */
export async function throughDiskTrouble<T>(
  path: string,
  work: () => Promise<T>,
  tell: (line: string) => void,
  goesOn: () => boolean = () => true,
): Promise<T> {
  let told: string | null = null;
  for (;;) {
    try {
      const done = await work();
      if (told !== null) tell(`${path} can be written again; going on`);
      return done;
    } catch (error) {
      const trouble = diskTrouble(error);
      if (trouble === null || !goesOn()) throw error;
      if (trouble !== told) tell(`${path} cannot be written: ${trouble}; waiting until it can`);
      told = trouble;
      await sleep(pauseMs);
    }
  }
}
