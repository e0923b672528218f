/** A part's own folder in the home, which no other process has meanwhile; waits for a disk that does not let it have one. */
import { join } from "node:path";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { FolderLock } from "../../system/folder-lock.ts";
import { ensurePrivateFolder } from "../../system/private-file.ts";
import type { Home } from "../home.ts";
import { awaitDisk } from "./await-disk.ts";
import { claimProcess } from "./process-lock.ts";

export interface Place {
  readonly folder: string;
  readonly lock: FolderLock;
}

/** Null where `stopped` resolved first. */
export function claimPlace(
  home: Home,
  role: "agent" | "coordinator",
  name: string,
  say: (line: string) => void,
  stopped: Promise<unknown>,
): Promise<Outcome<Place> | null> {
  return awaitDisk(
    async () => {
      const lock = await claimProcess(home, role, name);
      if (!lock.ok) return lock;
      const folder = ensurePrivateFolder(join(home.path, role, name));
      if (folder.ok) return accept({ folder: folder.value, lock: lock.value });
      lock.value.release();
      return folder;
    },
    say,
    stopped,
  );
}
