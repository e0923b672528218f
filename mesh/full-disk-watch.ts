/**
 * Notices that the server's disk is full or takes nothing, and when it does again. After a failed write nats-server
 * refuses a stream until it is started anew, and says why only in its log; what was acknowledged is safe.
 */
import { closeSync, fstatSync, openSync, readSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesPerKiB, bytesPerMiB } from "../protocol/byte-unit.ts";

export interface FullDiskWatch {
  readonly logFile: string;
  /** A folder on the disk in question. */
  readonly folder: string;
  readonly onFull: (why: string) => void;
  readonly onRoom: () => void;
  /** Between two looks, ms. */
  readonly everyMs?: number;
}

const lookEveryMs = 2_000;
/** Room enough to go on, and not to be full again at once. */
const roomMinBytes = 64 * bytesPerMiB;
const sayingFull = /no space left on device|disk quota exceeded|read-only file system|input\/output error/i;
/** At most so much of the log is read in one look; more has been written only by a server in trouble. */
const readMaxBytes = 256 * bytesPerKiB;

/** Watches from now on. Returns what ends it. */
export function watchForFullDisk({
  everyMs = lookEveryMs,
  folder,
  logFile,
  onFull,
  onRoom,
}: FullDiskWatch): () => void {
  let offset = sizeOf(logFile);
  let full = false;
  const timer = setInterval(() => {
    const { text, end } = readFrom(logFile, offset);
    offset = end;
    const why = sayingFull.exec(text)?.[0].toLowerCase();
    if (!full && why !== undefined) {
      full = true;
      onFull(why);
    } else if (full && freeBytes(folder) >= roomMinBytes && takesWrites(folder)) {
      full = false;
      onRoom();
    }
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

function sizeOf(file: string): number {
  return readFrom(file, Number.MAX_SAFE_INTEGER).end;
}

function readFrom(file: string, offset: number): { readonly text: string; readonly end: number } {
  try {
    const handle = openSync(file, "r");
    try {
      const { size } = fstatSync(handle);
      // A shorter file was begun anew.
      const from = offset > size ? size : Math.max(offset, size - readMaxBytes);
      const bytes = Buffer.alloc(size - from);
      readSync(handle, bytes, 0, bytes.length, from);
      return { text: bytes.toString("utf8"), end: size };
    } finally {
      closeSync(handle);
    }
  } catch {
    // Not there yet, or not readable just now: the next look will tell.
    return { text: "", end: Math.min(offset, 0) };
  }
}

/** A read-only disk has room too. */
function takesWrites(folder: string): boolean {
  const file = join(folder, ".room");
  try {
    writeFileSync(file, Buffer.alloc(bytesPerKiB));
    rmSync(file);
    return true;
  } catch {
    return false;
  }
}

function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
