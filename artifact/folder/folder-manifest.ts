/**
 * A folder as one artifact, its manifest first and the contents of its files behind it, in one order: equal folders are equal bytes.
 * Pure; not here: reading folders (`pack-folder.ts`) and writing them (`unpack-folder.ts`).
 *
 * Head: 24 bytes of `folderMark`, 8 of how many bytes the manifest has (big-endian). Manifest: a line of JSON for each file and each
 * empty folder, in the order of the paths' UTF-8 bytes. Contents: in the same order, one after the other; a file of at least a chunk
 * begins where a chunk does, behind zeros, so that it has the same chunks in every folder.
 */
import * as z from "zod";
import { textOf } from "../../protocol/bound.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Bytes } from "../../protocol/bus/bus.ts";
import { shownName } from "../../text/printable.ts";
import { artifactBytesMax } from "../artifact-tree.ts";
import { chunkBytesMax } from "../chunk-tree.ts";

export const folderMark: Bytes = new TextEncoder().encode("trialmesh-folder-1\n\n\n\n\n\n");
export const headBytes = folderMark.length + 8;
export const entriesMax = 1_000_000;
export const manifestBytesMax = 256 * bytesPerMiB;
const pathBytesMax = 1_024;
const nameBytesMax = 255;
const shownCharacters = 60;

const entrySchema = z.strictObject({
  path: textOf(pathBytesMax).min(1),
  /** Of a file; an empty folder has none. */
  bytes: z.int().nonnegative().max(artifactBytesMax).optional(),
  /** Its owner may run it. */
  runs: z.literal(true).optional(),
});
export type FolderEntry = z.infer<typeof entrySchema>;

/** What is wrong with a path, in words that follow it; null where it leads to something below its folder, on every machine. */
export function pathFault(path: string): string | null {
  if (Buffer.byteLength(path) > pathBytesMax) return `is longer than ${pathBytesMax} bytes`;
  if (path.startsWith("/") || /^[a-zA-Z]:/.test(path)) return "is absolute";
  for (const part of path.split("/")) {
    if (part === "" || part === ".") return "has an empty part";
    if (part === "..") return "leads out of its folder";
    if (/[\\\0]/.test(part))
      return "has a backslash or a zero in it, which other systems take for something else";
    if (Buffer.byteLength(part) > nameBytesMax) return `has a name of more than ${nameBytesMax} bytes`;
    if (!part.isWellFormed()) return "is no UTF-8";
  }
  return null;
}

export function shownPath(path: string): string {
  const name = shownName(path);
  return name.length > shownCharacters ? `${name.slice(0, shownCharacters)}…` : name;
}

export function byPath(a: FolderEntry, b: FolderEntry): number {
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
}

export function manifestLine(entry: FolderEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

export function folderHead(manifestBytes: number): Bytes {
  const head = Buffer.alloc(headBytes);
  head.set(folderMark);
  head.writeBigUInt64BE(BigInt(manifestBytes), folderMark.length);
  return head;
}

/** Bytes of the manifest of a folder that begins so; null for what is no folder. */
export function manifestBytesIn(head: Bytes): number | null {
  if (head.length < headBytes || !folderMark.every((byte, index) => head[index] === byte)) return null;
  const bytes = Buffer.from(head.subarray(0, headBytes)).readBigUInt64BE(folderMark.length);
  return bytes > BigInt(manifestBytesMax) ? null : Number(bytes);
}

/** Where a file's content begins that comes next behind `at`. */
export function contentStart(at: number, bytes: number): number {
  return bytes < chunkBytesMax ? at : Math.ceil(at / chunkBytesMax) * chunkBytesMax;
}

export interface PlacedEntry extends FolderEntry {
  /** Of its content in the artifact. */
  readonly at: number;
}

/** The lines of a manifest, each with where its content lies; `bytes`: of the whole artifact. Nothing in it is believed. */
export function readManifestText(
  lines: Iterable<string>,
  manifestBytes: number,
  bytes: number,
): Outcome<readonly PlacedEntry[]> {
  const entries: PlacedEntry[] = [];
  let at = headBytes + manifestBytes;
  let last: Buffer | null = null;
  for (const line of lines) {
    const number = entries.length + 1;
    if (number > entriesMax) return refuse("invalid", `the folder has more than ${entriesMax} names`);
    const entry = entryIn(line);
    if (entry === null) return refuse("invalid", `line ${number} of the folder's manifest cannot be read`);
    const fault = pathFault(entry.path);
    if (fault !== null) return refuse("invalid", `the folder's path ${shownPath(entry.path)} ${fault}`);
    const place = Buffer.from(entry.path);
    if (last !== null && Buffer.compare(last, place) >= 0)
      return refuse("invalid", `the folder's path ${shownPath(entry.path)} is out of its order`);
    last = place;
    const start = contentStart(at, entry.bytes ?? 0);
    entries.push({ ...entry, at: start });
    at = entry.bytes === undefined ? at : start + entry.bytes;
    if (at > bytes) break;
  }
  if (at !== bytes)
    return refuse(
      "invalid",
      `the folder has ${bytes} bytes and its manifest says ${at > bytes ? "more" : at}`,
    );
  return accept(entries);
}

function entryIn(line: string): FolderEntry | null {
  try {
    return entrySchema.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
