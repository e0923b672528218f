/** Files and folders that only their owner may read. Not a store: each file is small, read whole and replaced whole. */
import { chmodSync, readFileSync, statSync } from "node:fs";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { makeFolderSync } from "./make-folder.ts";
import { refuseDisk } from "./system-error.ts";
import { writeWholeSync } from "./whole-file.ts";

const privateFolderMode = 0o700;

/** Makes the folder (and its parents), or tightens one that others could look into. */
export function ensurePrivateFolder(path: string): Outcome<string> {
  try {
    makeFolderSync(path, privateFolderMode);
    const found = statSync(path);
    if (!found.isDirectory()) return refuse("invalid", `${path} is a file; trialmesh needs a folder there`);
    if ((found.mode & 0o077) !== 0) chmodSync(path, privateFolderMode);
    return accept(path);
  } catch (error) {
    return refuseDisk(error, "write", path);
  }
}

/** Replaces the file as a whole (`whole-file.ts`). */
export function writePrivateFile(path: string, text: string): Outcome<string> {
  try {
    writeWholeSync(path, text);
    return accept(path);
  } catch (error) {
    return refuseDisk(error, "write", path);
  }
}

export function readPrivateFile(path: string): Outcome<string> {
  try {
    return accept(readFileSync(path, "utf8"));
  } catch (error) {
    return refuseDisk(error, "read", path);
  }
}

/** Parses the text of one of our JSON files; a damaged one is refused with its path. */
export function parseJsonFile(path: string, text: string): Outcome<unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return accept(value);
  } catch {
    return refuse(
      "invalid",
      `${path} is not JSON: it was cut short or edited; restore it from a backup or move it away`,
    );
  }
}
