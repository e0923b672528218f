/**
 * Writes a folder that came as one artifact. Nothing on a path, a name or a size is believed; it is made beside its place and moved there
 * once all of it is written, so what fails leaves nothing.
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  existsSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { partSuffix } from "../../system/partial-file.ts";
import { refuseDisk, systemCode } from "../../system/system-error.ts";
import { formatBytes } from "../../text/figure.ts";
import { chunkBytesMax } from "../chunk-tree.ts";
import {
  headBytes,
  manifestBytesIn,
  readManifestText,
  shownPath,
  type PlacedEntry,
} from "./folder-manifest.ts";

const filesAtOnce = 64;
const windowBytes = 4 * chunkBytesMax;

/** Whether these bytes are a folder's. Throws the system's error. */
export function isFolderFile(path: string): boolean {
  const file = openSync(path, "r");
  try {
    return manifestLength(file) !== null;
  } finally {
    closeSync(file);
  }
}

function manifestLength(file: number): number | null {
  const head = Buffer.alloc(headBytes);
  return manifestBytesIn(head.subarray(0, readSync(file, head, 0, headBytes, 0)));
}

/** What lies in a folder's artifact; null where the file is none. Throws the system's error. */
function readFolder(path: string, bytes: number): Outcome<readonly PlacedEntry[]> | null {
  const file = openSync(path, "r");
  try {
    const manifestBytes = manifestLength(file);
    if (manifestBytes === null) return null;
    if (headBytes + manifestBytes > bytes) return refuse("invalid", "the folder's manifest is cut off");
    return readManifestText(linesOf(file, manifestBytes), manifestBytes, bytes);
  } finally {
    closeSync(file);
  }
}

/** `path`: a file with the artifact's bytes, so many. `out`: is not there yet. `onBytes` hears how much was written. */
export async function unpackFolder(
  { bytes, path }: { readonly path: string; readonly bytes: number },
  out: string,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<Outcome<{ readonly files: number }>> {
  const draft = `${out}${partSuffix}`;
  try {
    if (existsSync(out)) return refuse("conflict", `${out} is there already; name another place with --out`);
    const entries = readFolder(path, bytes);
    if (entries === null) return refuse("invalid", "the artifact is a file and no folder");
    if (!entries.ok) return entries;
    const { bavail, bsize } = statfsSync(dirname(out));
    if (bytes > bavail * bsize)
      return refuse(
        "unavailable",
        `the folder has ${formatBytes(bytes)}, and ${formatBytes(bavail * bsize)} is free on the disk of ${out}`,
      );
    mkdirSync(draft);
    const written = await writeEntries(path, draft, entries.value, onBytes);
    if (written.ok) renameSync(draft, out);
    return written;
  } catch (error) {
    return refuseDisk(error, "write", out);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

async function writeEntries(
  path: string,
  draft: string,
  entries: readonly PlacedEntry[],
  onBytes: (bytes: number) => void,
): Promise<Outcome<{ readonly files: number }>> {
  const source = openSync(path, "r");
  const reader = new Reader(source);
  const made = new Set<string>([draft]);
  try {
    let files = 0;
    for (const [number, entry] of entries.entries()) {
      try {
        if (entry.bytes === undefined) makeFolders(join(draft, entry.path), made);
        else {
          const to = join(draft, entry.path);
          makeFolders(dirname(to), made);
          writeOne(reader, entry, entry.bytes, to);
          onBytes(entry.bytes);
          files++;
        }
      } catch (error) {
        const code = systemCode(error) ?? "";
        // Its paths are all different, so here two of them are one.
        if (!["EEXIST", "ENOTDIR", "EISDIR"].includes(code)) throw error;
        return refuse(
          "conflict",
          `${shownPath(entry.path)} and another path of the folder are one name on this disk, which knows no difference of case`,
        );
      }
      if (number % filesAtOnce === 0) await nextTurn();
    }
    return accept({ files });
  } finally {
    closeSync(source);
  }
}

function makeFolders(folder: string, made: Set<string>): void {
  if (made.has(folder)) return;
  makeFolders(dirname(folder), made);
  mkdirSync(folder);
  made.add(folder);
}

function writeOne(reader: Reader, entry: PlacedEntry, bytes: number, to: string): void {
  const file = openSync(to, "wx", entry.runs === true ? 0o777 : 0o666);
  try {
    for (let done = 0; done < bytes;) {
      const piece = reader.read(entry.at + done, bytes - done);
      for (let written = 0; written < piece.length;)
        written += writeSync(file, piece, written, piece.length - written);
      done += piece.length;
    }
  } finally {
    closeSync(file);
  }
}

/** Reads ahead: most files are small, and lie one behind the other. */
class Reader {
  readonly #file: number;
  readonly #window = Buffer.allocUnsafeSlow(windowBytes);
  #start = 0;
  #length = 0;

  constructor(file: number) {
    this.#file = file;
  }

  /** From 1 to `bytesMax` bytes from there on. Throws RangeError behind the end. */
  read(at: number, bytesMax: number): Buffer {
    if (at < this.#start || at >= this.#start + this.#length) {
      this.#start = at;
      this.#length = readSync(this.#file, this.#window, 0, windowBytes, at);
      if (this.#length === 0) throw new RangeError("the file was cut off");
    }
    const from = at - this.#start;
    return this.#window.subarray(from, Math.min(this.#length, from + bytesMax));
  }
}

/** Lines of the manifest, some of it in memory at once. */
function* linesOf(file: number, manifestBytes: number): Iterable<string> {
  const window = Buffer.allocUnsafe(chunkBytesMax);
  let rest = Buffer.alloc(0);
  for (let done = 0; done < manifestBytes;) {
    const got = readSync(file, window, 0, Math.min(window.length, manifestBytes - done), headBytes + done);
    if (got === 0) return;
    done += got;
    let data = Buffer.concat([rest, window.subarray(0, got)]);
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10)) {
      yield data.toString("utf8", 0, end);
      data = data.subarray(end + 1);
    }
    rest = Buffer.from(data);
  }
  if (rest.length > 0) yield rest.toString("utf8");
}
