/** One process at a time changes who is known or invited: `up`, which lets machines in, and commands beside it. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tryLock, type FolderLock } from "../system/folder-lock.ts";
import { refuseDisk } from "../system/system-error.ts";
import { refuse, type Outcome } from "../protocol/refusal.ts";
import type { Home } from "./home.ts";

const pollMs = 20;
/** The server is told within the lock, and may not answer for a while. */
const patienceMs = 10_000;

/** Runs `work` alone. Refuses where another process does not let go. */
export async function exclusively<T>(
  home: Home,
  work: () => Outcome<T> | Promise<Outcome<T>>,
): Promise<Outcome<T>> {
  const folder = join(home.path, "users");
  const deadline = performance.now() + patienceMs;
  let lock: FolderLock | null = null;
  try {
    while (lock === null) {
      const claim = tryLock(folder, "people");
      if (claim.held) lock = claim.lock;
      else if (performance.now() > deadline)
        return refuse(
          "conflict",
          `another process (${claim.holder ?? "unknown"}) is inviting or revoking in ${home.path}; try again`,
        );
      else await sleep(pollMs);
    }
  } catch (error) {
    return refuseDisk(error, "write", folder);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}
