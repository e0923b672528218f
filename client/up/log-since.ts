/** What a log has come to say since some point of it: for whoever waits on a process that nobody sees. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { bytesPerKiB } from "../../protocol/byte-unit.ts";

const refusalMark = "trialmesh: ";
const readMaxBytes = 64 * bytesPerKiB;

export function logLength(file: string): number {
  return read(file, Number.MAX_SAFE_INTEGER).end;
}

/** The lines in it after `from` (bytes) that are of this kind, without one that is being written. */
export function linesSaid(file: string, from: number, kind: RegExp): readonly string[] {
  const { text } = read(file, from);
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => kind.test(line));
}

/** The last refusal in it after `from` (bytes), else its last line; null where it says nothing. */
export function lastSaid(file: string, from: number): string | null {
  const lines = linesAfter(file, from);
  const refusal = lines.findLast((line) => line.startsWith(refusalMark));
  return refusal?.slice(refusalMark.length) ?? lines.at(-1) ?? null;
}

function linesAfter(file: string, from: number): readonly string[] {
  return read(file, from)
    .text.split("\n")
    .filter((line) => line.trim() !== "");
}

function read(file: string, from: number): { readonly text: string; readonly end: number } {
  try {
    const handle = openSync(file, "r");
    try {
      const { size } = fstatSync(handle);
      const bytes = Buffer.alloc(Math.max(0, Math.min(size - from, readMaxBytes)));
      readSync(handle, bytes, 0, bytes.length, size - bytes.length);
      return { text: bytes.toString("utf8"), end: size };
    } finally {
      closeSync(handle);
    }
  } catch {
    return { text: "", end: 0 };
  }
}
