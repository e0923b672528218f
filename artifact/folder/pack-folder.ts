/** Reads a folder as the bytes of one artifact, a file at a time. What no other machine could make again is refused, a sentence each. */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  lstatSync,
  type BigIntStats,
} from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Bytes } from "../../protocol/bus/bus.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { refuseDisk, systemCode } from "../../system/system-error.ts";
import { artifactBytesMax } from "../artifact-tree.ts";
import { chunkBytesMax } from "../chunk-tree.ts";
import { PartError } from "../store/part-file.ts";
import {
  byPath,
  contentStart,
  entriesMax,
  folderHead,
  headBytes,
  manifestBytesMax,
  manifestLine,
  pathFault,
  shownPath,
  type FolderEntry,
} from "./folder-manifest.ts";

interface FoundEntry {
  readonly entry: FolderEntry;
  /** A file as it was when the folder was listed. */
  readonly was: Pick<BigIntStats, "ino" | "mtimeNs" | "size"> | null;
}

export interface ListedFolder {
  readonly path: string;
  readonly entries: readonly FoundEntry[];
  readonly manifest: Bytes;
  /** Of the artifact. */
  readonly bytes: number;
}

const ownerRuns = 0o100n;
/** So many files, and then others get a turn. */
const filesAtOnce = 64;

/** What would be packed; reads no content. */
export async function listForPack(path: string): Promise<Outcome<ListedFolder>> {
  const entries: FoundEntry[] = [];
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const listed = listOne(path, folder, entries, folders);
    if (!listed.ok) return listed;
    if (entries.length + folders.length > entriesMax)
      return refuse("invalid", `${shownPath(path)} has more than ${entriesMax} names; pack parts of it`);
    await nextTurn();
  }
  entries.sort((a, b) => byPath(a.entry, b.entry));
  const manifest = Buffer.from(entries.map(({ entry }) => manifestLine(entry)).join(""));
  if (manifest.length > manifestBytesMax)
    return refuse("invalid", `the names in ${shownPath(path)} are too many and too long; pack parts of it`);
  let bytes = headBytes + manifest.length;
  for (const { entry } of entries)
    if (entry.bytes !== undefined) bytes = contentStart(bytes, entry.bytes) + entry.bytes;
  if (bytes > artifactBytesMax)
    return refuse("invalid", `${shownPath(path)} is larger than an artifact may be`);
  return accept({ path, entries, manifest, bytes });
}

function listOne(root: string, folder: string, entries: FoundEntry[], folders: string[]): Outcome<null> {
  const at = join(root, folder);
  let names: readonly Buffer[];
  try {
    names = readdirSync(at, { encoding: "buffer" });
  } catch (error) {
    return refuseDisk(error, "read", at);
  }
  if (names.length === 0 && folder !== "") entries.push({ entry: { path: folder }, was: null });
  for (const raw of names) {
    const name = raw.toString("utf8");
    const path = folder === "" ? name : `${folder}/${name}`;
    const fault = Buffer.from(name).equals(raw) ? pathFault(path) : "is no UTF-8";
    if (fault !== null) return refuse("invalid", `the path ${shownPath(path)} ${fault}`);
    let stats: BigIntStats;
    try {
      stats = lstatSync(join(root, path), { bigint: true });
    } catch (error) {
      return refuseDisk(error, "read", join(root, path));
    }
    if (stats.isDirectory()) folders.push(path);
    else if (stats.isFile()) {
      const runs = (stats.mode & ownerRuns) !== 0n ? ({ runs: true } as const) : {};
      const { ino, mtimeNs, size } = stats;
      entries.push({ entry: { path, bytes: Number(size), ...runs }, was: { ino, mtimeNs, size } });
    } else
      return refuse(
        "invalid",
        `${shownPath(path)} is ${kindOf(stats)}; a folder is packed of files and folders`,
      );
  }
  return accept(null);
}

function kindOf(stats: BigIntStats): string {
  if (stats.isSymbolicLink()) return "a link";
  if (stats.isFIFO()) return "a pipe";
  return stats.isSocket() ? "a socket" : "a device";
}

/** The bytes of the artifact. Throws the system's error, and PartError where a file is no longer as it was listed. */
export async function* packFolderBytes({ entries, manifest, path }: ListedFolder): AsyncIterable<Bytes> {
  yield folderHead(manifest.length);
  yield manifest;
  let at = headBytes + manifest.length;
  const window = Buffer.allocUnsafeSlow(chunkBytesMax);
  for (const [number, found] of entries.entries()) {
    const { entry } = found;
    if (entry.bytes === undefined) continue;
    const start = contentStart(at, entry.bytes);
    if (start > at) yield Buffer.alloc(start - at);
    yield* contentOf(join(path, entry.path), found, window);
    at = start + entry.bytes;
    if (number % filesAtOnce === 0) await nextTurn();
  }
}

function* contentOf(path: string, { entry, was }: FoundEntry, window: Buffer): Iterable<Bytes> {
  const { bytes = 0, path: shown } = entry;
  const changed = () => new PartError(`${shownPath(shown)} changed while it was read`);
  let file: number;
  try {
    // Not through a link that took its place.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    throw systemCode(error) === "ENOENT" || systemCode(error) === "ELOOP" ? changed() : error;
  }
  try {
    for (let read = 0; read < bytes;) {
      const got = readSync(file, window, 0, Math.min(window.length, bytes - read), read);
      if (got === 0) throw changed();
      read += got;
      yield window.subarray(0, got);
    }
    const now = fstatSync(file, { bigint: true });
    if (now.ino !== was?.ino || now.size !== was.size || now.mtimeNs !== was.mtimeNs) throw changed();
  } finally {
    closeSync(file);
  }
}
