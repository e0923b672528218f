/**
 * Makes a folder with those it lies in, one after the other from the first that is missing. In place of Node's recursive `mkdir`, which
 * never comes back where a file system takes no folders (/proc), and tells a read-only disk as a missing file.
 */
import { mkdirSync, statSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { FolderError, systemCode } from "./system-error.ts";

/** DIR-1: throws a `FolderError`, at once. `mode`: of each folder that is made. */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  const missing: string[] = [];
  for (const folder of upwards(path)) {
    const kind = await kindOf(stat(folder));
    if (isThere(kind, folder)) break;
    missing.push(folder);
  }
  for (const folder of missing.toReversed()) {
    try {
      await mkdir(folder, mode);
    } catch (error) {
      if (!isThereMeanwhile(error, await kindOf(stat(folder)))) throw folderError(error, folder);
    }
  }
}

/** As `makeFolder`, at once. */
export function makeFolderSync(path: string, mode?: number): void {
  const missing: string[] = [];
  for (const folder of upwards(path)) {
    if (isThere(kindSync(folder), folder)) break;
    missing.push(folder);
  }
  for (const folder of missing.toReversed()) {
    try {
      mkdirSync(folder, mode);
    } catch (error) {
      if (!isThereMeanwhile(error, kindSync(folder))) throw folderError(error, folder);
    }
  }
}

/** A folder, something else, or why nothing can be said: ENOENT where there is nothing. */
type Kind = "folder" | "file" | { readonly error: unknown };

/** The path, the folder it lies in, and so on to the root. */
function* upwards(path: string): Iterable<string> {
  let at = resolve(path);
  for (;;) {
    yield at;
    const parent = dirname(at);
    if (parent === at) return;
    at = parent;
  }
}

function isThere(kind: Kind, folder: string): boolean {
  if (kind === "folder") return true;
  if (kind === "file") throw new FolderError("ENOTDIR", folder);
  // Beneath a file there is nothing: the file itself is found on the way up.
  const code = systemCode(kind.error);
  if (code === "ENOENT" || code === "ENOTDIR") return false;
  throw folderError(kind.error, folder);
}

/** Another process may have made it in between. */
function isThereMeanwhile(error: unknown, kind: Kind): boolean {
  return systemCode(error) === "EEXIST" && kind === "folder";
}

async function kindOf(found: ReturnType<typeof stat>): Promise<Kind> {
  try {
    return (await found).isDirectory() ? "folder" : "file";
  } catch (error) {
    return { error };
  }
}

function kindSync(folder: string): Kind {
  try {
    return statSync(folder).isDirectory() ? "folder" : "file";
  } catch (error) {
    return { error };
  }
}

function folderError(error: unknown, folder: string): unknown {
  const code = systemCode(error);
  return code === null ? error : new FolderError(code, folder);
}
