/** Ways to spoil a file or a folder, for kinds of damage: each says what it did. */
import {
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  openSync,
  writeSync,
  closeSync,
} from "node:fs";
import { basename, join } from "node:path";

/** Flips one bit anywhere in the file, in place: whoever has it open sees it. */
export function flipBit(file: string, random: () => number): string {
  const bytes = readFileSync(file);
  if (bytes.length === 0) return `${basename(file)} is empty`;
  const at = Math.floor(random() * bytes.length);
  const bit = Math.floor(random() * 8);
  writeAt(file, at, Buffer.of((bytes[at] ?? 0) ^ (1 << bit)));
  return `flipped bit ${bit} of byte ${at} of ${bytes.length} in ${basename(file)}`;
}

/** Cuts the file somewhere, also to nothing. */
export function cutFile(file: string, random: () => number): string {
  const { size } = statSync(file);
  const left = Math.floor(random() * size);
  truncateSync(file, left);
  return `cut ${basename(file)} from ${size} to ${left} bytes`;
}

/** Zeroes a stretch of up to 4 KiB, as a lost sector does. */
export function zeroStretch(file: string, random: () => number): string {
  const { size } = statSync(file);
  const from = Math.floor(random() * size);
  const length = Math.min(1 + Math.floor(random() * 4_096), size - from);
  writeAt(file, from, Buffer.alloc(length));
  return `zeroed ${length} bytes from ${from} of ${size} in ${basename(file)}`;
}

export function removePath(path: string): string {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  return `removed ${basename(path)}`;
}

/** A file of the folder whose name the pattern matches, at random. */
export function fileIn(folder: string, pattern: RegExp, random: () => number): string {
  const found = readdirSync(folder).filter((name) => pattern.test(name));
  const chosen = found[Math.floor(random() * found.length)];
  if (chosen === undefined) throw new Error(`${folder} has no file ${String(pattern)}`);
  return join(folder, chosen);
}

function writeAt(file: string, at: number, bytes: Uint8Array): void {
  const descriptor = openSync(file, "r+");
  try {
    writeSync(descriptor, bytes, 0, bytes.length, at);
  } finally {
    closeSync(descriptor);
  }
}
