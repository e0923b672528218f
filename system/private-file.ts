/**
 * Files and folders that only their owner may read, and the sentences for a failing disk.
 * Not a store: each file is small, read whole and replaced whole.
 */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import * as z from "zod";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";

const privateFolderMode = 0o700;
const privateFileMode = 0o600;

const systemErrorSchema = z.object({ code: z.string(), message: z.string() });

/** The code of a system error (`ENOENT`, `ENOSPC`…), or null when the error is of another kind. */
export function systemCode(error: unknown): string | null {
  const parsed = systemErrorSchema.safeParse(error);
  return parsed.success ? parsed.data.code : null;
}

/** One sentence for a file operation that failed; an error that is not the disk's is thrown on. */
export function refuseDisk(error: unknown, verb: "read" | "write", path: string): Outcome<never> {
  const code = systemCode(error);
  switch (code) {
    case null:
      throw error;
    case "ENOSPC":
    case "EDQUOT":
      return refuse(
        "unavailable",
        `cannot write ${path}: the disk is full; free some space and run this again`,
      );
    case "EACCES":
    case "EPERM":
      return refuse(
        "forbidden",
        `cannot ${verb} ${path}: permission denied; it must belong to the user who runs trialmesh`,
      );
    case "EROFS":
      return refuse(
        "unavailable",
        `cannot write ${path}: the file system is read-only; choose another folder with TRIALMESH_HOME`,
      );
    case "ENOENT":
      return refuse("unknown", `cannot ${verb} ${path}: there is no such file`);
    case "ENOTDIR":
    case "EEXIST":
    case "EISDIR":
      return refuse(
        "invalid",
        `cannot ${verb} ${path}: a file stands where a folder should be, or the reverse`,
      );
    default:
      return refuse("unavailable", `cannot ${verb} ${path}: ${code}`);
  }
}

/** Makes the folder (and its parents), or tightens one that others could look into. */
export function ensurePrivateFolder(path: string): Outcome<string> {
  try {
    mkdirSync(path, { recursive: true, mode: privateFolderMode });
    const found = statSync(path);
    if (!found.isDirectory()) return refuse("invalid", `${path} is a file; trialmesh needs a folder there`);
    if ((found.mode & 0o077) !== 0) chmodSync(path, privateFolderMode);
    return accept(path);
  } catch (error) {
    return refuseDisk(error, "write", path);
  }
}

/** Replaces the file as a whole, flushed before it is renamed: a crash leaves the old one or the new one. */
export function writePrivateFile(path: string, text: string): Outcome<string> {
  const draft = `${path}.${randomBytes(6).toString("hex")}.draft`;
  try {
    const file = openSync(draft, "wx", privateFileMode);
    try {
      const bytes = Buffer.from(text, "utf8");
      for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
    return accept(path);
  } catch (error) {
    removeDraft(draft);
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

function removeDraft(draft: string): void {
  try {
    unlinkSync(draft);
  } catch {
    // It was never made, or the disk refuses this too: the first failure is the one to tell.
  }
}
