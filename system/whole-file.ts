/**
 * The one way a file is written whole: beside its place, flushed, then renamed, and its folder flushed. A crash of the process or
 * of the machine leaves the old file or the new one. Only where a flush buys nothing may it be left out; then a machine
 * that loses its power may leave the file cut short, and whoever reads it must be able to tell.
 */
import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { open, rename, unlink } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { dirname } from "node:path";
import { partSuffix } from "./partial-file.ts";

const ownerOnlyMode = 0o600;

export interface WholeFileOptions {
  /** False for what can be told to be damaged and had again. */
  readonly flush?: boolean;
}

/** Only its owner may read it. Throws the system's error, and then leaves nothing. */
export async function writeWhole(
  path: string,
  contents: string | Uint8Array,
  { flush = true }: WholeFileOptions = {},
): Promise<void> {
  const draft = draftOf(path);
  try {
    const file = await open(draft, "wx", ownerOnlyMode);
    try {
      await file.writeFile(contents);
      if (flush) await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    // Where it was never made, or the disk refuses this too, the first failure is the one to tell.
    await unlink(draft).catch(() => undefined);
    throw error;
  }
  if (flush) await flushAt(dirname(path));
}

/** The same, for small files that are written while a program starts. */
export function writeWholeSync(path: string, contents: string): void {
  const draft = draftOf(path);
  try {
    const file = openSync(draft, "wx", ownerOnlyMode);
    try {
      const bytes = Buffer.from(contents, "utf8");
      for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    try {
      unlinkSync(draft);
    } catch {
      // As above.
    }
    throw error;
  }
  if (foldersFlush) {
    const folder = openSync(dirname(path), "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  }
}

/** Moves a file that another program wrote, on the same disk, to its place. */
export async function placeWhole(draft: string, path: string): Promise<void> {
  // Windows flushes only what is open for writing.
  await flushAt(draft, "r+");
  await rename(draft, path);
  await flushAt(dirname(path));
}

/** Windows opens no folders, and keeps their entries by itself. */
const foldersFlush = process.platform !== "win32";

async function flushAt(path: string, mode: "r" | "r+" = "r"): Promise<void> {
  if (mode === "r" && !foldersFlush) return;
  const opened = await open(path, mode);
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

/** Told apart from every other's, and from this process's own; `sweepParts` knows it. */
function draftOf(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}${partSuffix}`;
}
