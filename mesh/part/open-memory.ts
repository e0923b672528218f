/**
 * A coordinator's durable memory on disk: its projection, which is a cache, and its copy of the journal, which is not. FORMAT-4: a
 * projection of another version, damaged or gone, is no reason to stop; what is damaged is put aside and named, never deleted.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { projectionVersion } from "../../coordinator/core/projection.ts";
import { journalCopyVersion, moveCopy } from "../../coordinator/journal/journal-copy.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { storeFile } from "../../store/lmdb-store.ts";
import { moveStoreAside, openCheckedStore } from "../../store/open-checked.ts";
import type { Store } from "../../store/store.ts";

export interface CoordinatorMemory {
  readonly projection: Store;
  readonly journalCopy: Store;
}

type Say = (line: string) => void;

const version = `coordinator-${projectionVersion}`;

/** `folder`: the coordinator's own. `at`: names what is put aside, ms. */
export async function openMemory(folder: string, at: number, say: Say): Promise<Outcome<CoordinatorMemory>> {
  const journalCopy = await openJournalCopy(join(folder, "journal-copy"), at, say);
  if (!journalCopy.ok) return journalCopy;
  const projection = await openProjection(join(folder, "store"), journalCopy.value, at, say);
  if (projection.ok) return accept({ projection: projection.value, journalCopy: journalCopy.value });
  await journalCopy.value.close();
  return projection;
}

export async function openJournalCopy(path: string, at: number, say: Say): Promise<Outcome<Store>> {
  const options = { path, version: journalCopyVersion, scan: true };
  let opening = await openCheckedStore(options);
  if (opening.kind === "refused" && opening.refusal.kind === "damaged") {
    const aside = moveStoreAside(path, at);
    say(
      `the copy of the journal in ${path} was damaged and lies in ${aside} now; it is copied anew from the server`,
    );
    opening = await openCheckedStore(options);
  }
  if (opening.kind === "opened") return accept(opening.store);
  return refuse("unavailable", opening.refusal.message);
}

async function openProjection(
  path: string,
  journalCopy: Store,
  at: number,
  say: Say,
): Promise<Outcome<Store>> {
  const options = { path, version, scan: true };
  let opening = await openCheckedStore(options);
  const found =
    opening.kind === "refused" && opening.refusal.kind === "another-version" && opening.refusal.found;
  // Up to version 3 the copy of the journal lay in the projection's store.
  if (found !== false) {
    const old = await openCheckedStore({ ...options, version: found });
    if (old.kind === "opened") {
      if (journalCopy.count() === 0) await moveCopy(old.store, journalCopy);
      await old.store.close();
      rmSync(join(path, storeFile));
      say(
        `what this coordinator had stored is of another version (${found}); it is built anew from the journal`,
      );
      opening = await openCheckedStore(options);
    } else opening = old;
  }
  if (opening.kind === "refused" && opening.refusal.kind === "damaged") {
    const aside = moveStoreAside(path, at);
    say(
      `what this coordinator had stored was damaged and lies in ${aside} now; it is built anew from the journal`,
    );
    opening = await openCheckedStore(options);
  }
  if (opening.kind === "opened") return accept(opening.store);
  return refuse("unavailable", opening.refusal.message);
}
