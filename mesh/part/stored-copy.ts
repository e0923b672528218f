/** The copies of the journal that lie in this home, of each coordinator that ever ran from it, opened to be read. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { JournalCopy, journalCopyVersion } from "../../coordinator/journal/journal-copy.ts";
import type { SignedAt } from "../../coordinator/journal/signed-at.ts";
import type { FolderLock } from "../../system/folder-lock.ts";
import { openCheckedStore } from "../../store/open-checked.ts";
import { guardedEnvironment } from "../../system/own-guard.ts";
import { storeFile } from "../../store/lmdb-file.ts";
import type { Store } from "../../store/store.ts";
import type { Home } from "../home.ts";
import { openJournalCopy } from "./open-memory.ts";
import { claimProcess } from "./process-lock.ts";

export interface StoredCopy {
  /** Of the coordinator. */
  readonly name: string;
  readonly copy: JournalCopy;
  close(): Promise<void>;
}

type Say = (line: string) => void;

/** One that cannot be read, or whose coordinator runs, is left out with a word. */
export async function openStoredCopies(home: Home, signedAt: SignedAt, say: Say): Promise<StoredCopy[]> {
  const opened: StoredCopy[] = [];
  for (const name of coordinatorsOf(home)) {
    const lock = await claimProcess(home, "coordinator", name);
    if (!lock.ok) {
      say(`journal: the copy of coordinator ${name} is left out: ${lock.refusal.message}`);
      continue;
    }
    const path = copyPath(home, name);
    const opening = await openCheckedStore({
      path,
      version: journalCopyVersion,
      environment: guardedEnvironment,
    });
    if (opening.kind === "refused") {
      say(`journal: the copy of coordinator ${name} is left out: ${opening.refusal.message}`);
      lock.value.release();
    } else opened.push(storedCopy(name, opening.store, lock.value, signedAt));
  }
  return opened;
}

/** That coordinator's, begun anew where there is none to be read. */
export async function beginCopy(
  home: Home,
  name: string,
  signedAt: SignedAt,
  at: number,
  say: Say,
): Promise<StoredCopy | null> {
  const lock = await claimProcess(home, "coordinator", name);
  if (!lock.ok) return null;
  const opening = await openJournalCopy(copyPath(home, name), at, say);
  if (opening.ok) return storedCopy(name, opening.value, lock.value, signedAt);
  lock.value.release();
  return null;
}

function storedCopy(name: string, store: Store, lock: FolderLock, signedAt: SignedAt): StoredCopy {
  const copy = new JournalCopy(store);
  copy.examine(signedAt);
  return {
    name,
    copy,
    async close() {
      await store.close();
      lock.release();
    },
  };
}

function coordinatorsOf(home: Home): readonly string[] {
  const folder = join(home.path, "coordinator");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => existsSync(join(copyPath(home, name), storeFile)));
}

function copyPath(home: Home, name: string): string {
  return join(home.path, "coordinator", name, "journal-copy");
}
