/** The folders in which attempts write: one each, gone when the attempt is over, none left over from a run before. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Fence } from "../../protocol/id.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { makeFolder } from "../../system/make-folder.ts";

export interface WorkFolders {
  /** Whoever writes there makes it. */
  of(fence: Fence): string;
  /** The attempt is over; its folder goes a little later. */
  clear(fence: Fence): void;
}

/** Folders of ended attempts go together, this often: most trials make none, and a look for each costs more. */
const tidyMs = 1_000;

export async function openWorkFolders(dir: string, clock: Clock): Promise<WorkFolders> {
  // What a killed run left half-written there is of no use to anyone.
  await rm(dir, { recursive: true, force: true });
  await makeFolder(dir, 0o700);
  /** Attempts that are over, whose folders may still be there. */
  let over = new Set<string>();

  async function tidy(): Promise<void> {
    const ended = over;
    over = new Set();
    for (const name of await readdir(dir)) {
      if (ended.has(name)) await rm(join(dir, name), { recursive: true, force: true });
    }
  }

  return {
    of: (fence) => join(dir, String(fence)),
    clear(fence) {
      // Failing to tidy up harms nobody; the next start empties the folder.
      if (over.size === 0) clock.setTimer(tidyMs, () => void tidy().catch(() => {}));
      over.add(String(fence));
    },
  };
}
