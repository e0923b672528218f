// Opens a store on disk that may be damaged. Damage can end the process that reads it, where LMDB throws nothing: a mark
// that is still there says that an opening was not survived, and then another process tries the reading first.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { openLmdbStore, storeFile, type LmdbStoreOptions } from "./lmdb-store.ts";
import type { Store, StoreOpening } from "./store.ts";

const markFile = "opening";
const maybe = { throwIfNoEntry: false } as const;

/**
 * As `openLmdbStore`; refuses as damaged what cannot be read to its end. `scan`: reads all of it, not only the beginning;
 * `mistrust`: in another process first.
 */
export async function openCheckedStore(
  options: LmdbStoreOptions & { readonly scan: boolean; readonly mistrust?: boolean },
): Promise<StoreOpening> {
  const { mistrust, path, scan } = options;
  const mark = join(path, markFile);
  const wasOpening =
    (mistrust === true || existsSync(mark)) && (statSync(join(path, storeFile), maybe)?.size ?? 0) > 0;
  if (wasOpening && !(await survivesReading(path))) return damaged(path, "reading it ends the process");
  try {
    mkdirSync(path, { recursive: true });
    writeFileSync(mark, "");
  } catch {
    // The opening itself says what is wrong with the folder.
  }
  const opening = await openLmdbStore(options);
  const fault = opening.kind === "opened" && scan ? readingFault(opening.store) : null;
  rmSync(mark, { force: true });
  if (opening.kind === "refused" || fault === null) return opening;
  await opening.store.close();
  return damaged(path, fault);
}

/** What is wrong with what the store holds; null where all of it can be read. */
export function readingFault(store: Store): string | null {
  try {
    let read = 0;
    for (const _ of store.range("")) read++;
    const count = store.count();
    return read === count ? null : `it holds ${count} entries and ${read} can be read`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function damaged(path: string, why: string): StoreOpening {
  const message = `The store in ${path} is damaged (${why}); move it away to start anew.`;
  return { kind: "refused", refusal: { kind: "damaged", message } };
}

async function survivesReading(path: string): Promise<boolean> {
  const here = fileURLToPath(import.meta.url);
  const entry = fileURLToPath(new URL(`./read-store-child${extname(here)}`, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, entry, path], { stdio: "ignore" });
  return new Promise((resolve) => {
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
}

/** Puts a store's file aside, so that a new one can begin, and returns where it lies now. `at`: names it, ms. */
export function moveStoreAside(path: string, at: number): string {
  const aside = join(path, `damaged-${new Date(at).toISOString().replaceAll(/[-:.]/g, "")}.lmdb`);
  renameSync(join(path, storeFile), aside);
  rmSync(join(path, `${storeFile}-lock`), { force: true });
  rmSync(join(path, markFile), { force: true });
  return aside;
}
