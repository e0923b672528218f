/**
 * A coordinator's durable memory on disk: its projection, which is a cache, and its copy of the journal, which is not. FORMAT-4: a
 * projection of another version, damaged or gone, is no reason to stop; what is damaged is put aside and named, never deleted.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { projectionVersion } from "../../coordinator/core/projection.ts";
import { journalCopyVersion, moveCopy } from "../../coordinator/journal/journal-copy.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { refusalOf } from "../../store/lmdb-error.ts";
import { storeFile, storeIsThere } from "../../store/lmdb-file.ts";
import { guardedEnvironment } from "../../system/own-guard.ts";
import { moveStoreAside, openCheckedStore } from "../../store/open-checked.ts";
import type { Store, StoreOpening } from "../../store/store.ts";
import { refuseStore } from "./refuse-store.ts";

export interface CoordinatorMemory {
  readonly projection: Store;
  readonly journalCopy: Store;
}

type Say = (line: string) => void;

/** Up to `coordinator-4` it had no checksums; what cannot be told from damage is built anew. */
const version = `projection-${projectionVersion}`;

/** `folder`: the coordinator's own. `at`: names what is put aside, ms. Refused as `unavailable` where the disk does not let it. */
export async function openMemory(folder: string, at: number, say: Say): Promise<Outcome<CoordinatorMemory>> {
  try {
    return await openBoth(folder, at, say);
  } catch (error) {
    return refuseStore(refusalOf(error, folder));
  }
}

async function openBoth(folder: string, at: number, say: Say): Promise<Outcome<CoordinatorMemory>> {
  const copyPath = join(folder, "journal-copy");
  const hadCopy = storeIsThere(copyPath);
  const journalCopy = await openJournalCopy(copyPath, at, say);
  if (!journalCopy.ok) return journalCopy;
  const projection = await openProjection(join(folder, "store"), journalCopy.value, at, say);
  // Up to version 3 of the projection it had no place of its own, and then there is no projection of this version either.
  if (projection.ok && !hadCopy && projection.value.count() > 0)
    say(`the copy of the journal in ${copyPath} is gone; it is copied anew from the server`);
  if (projection.ok) return accept({ projection: projection.value, journalCopy: journalCopy.value });
  await journalCopy.value.close();
  return projection;
}

export async function openJournalCopy(path: string, at: number, say: Say): Promise<Outcome<Store>> {
  return openOrBegin(path, journalCopyVersion, at, say, (why, aside) =>
    say(
      `the copy of the journal in ${path} was damaged (${why}) and lies in ${aside} now; it is copied anew from the server`,
    ),
  );
}

async function openProjection(
  path: string,
  journalCopy: Store,
  at: number,
  say: Say,
): Promise<Outcome<Store>> {
  if (!storeIsThere(path) && journalCopy.count() > 0)
    say(`what this coordinator had stored in ${path} is gone; it is built anew from the journal`);
  const opening = await openCheckedStore({ path, version, environment: guardedEnvironment });
  if (opening.kind === "refused" && opening.refusal.kind === "another-version")
    await leaveVersion(path, opening.refusal.found, journalCopy, say);
  if (opening.kind === "opened") {
    if (opening.note !== undefined) say(opening.note);
    return accept(opening.store);
  }
  return openOrBegin(path, version, at, say, (why, aside) =>
    say(
      `what this coordinator had stored was damaged (${why}) and lies in ${aside} now; it is built anew from the journal`,
    ),
  );
}

/** Up to version 3 the copy of the journal lay in the projection's store. */
async function leaveVersion(path: string, found: string, journalCopy: Store, say: Say): Promise<void> {
  const old = await openCheckedStore({ path, version: found, environment: guardedEnvironment });
  if (old.kind === "refused") return;
  if (journalCopy.count() === 0) await moveCopy(old.store, journalCopy);
  await old.store.close();
  rmSync(join(path, storeFile));
  say(`what this coordinator had stored is of another version (${found}); it is built anew from the journal`);
}

/** A damaged store is put aside, which `told` says, and begun anew. */
async function openOrBegin(
  path: string,
  version: string,
  at: number,
  say: Say,
  told: (why: string, aside: string) => void,
): Promise<Outcome<Store>> {
  let opening: StoreOpening = await openCheckedStore({ path, version, environment: guardedEnvironment });
  if (opening.kind === "refused" && opening.refusal.kind === "damaged") {
    const { why } = opening.refusal;
    const aside = moveStoreAside(path, at);
    told(why, aside);
    opening = await openCheckedStore({ path, version, environment: guardedEnvironment });
  }
  if (opening.kind === "refused") return refuseStore(opening.refusal);
  if (opening.note !== undefined) say(opening.note);
  return accept(opening.store);
}
