/**
 * Reads a delimited file once, before DuckDB does: its SHA-256, its records and their lines, and whatever is wrong with
 * it. A clean file is left where it is; of any other a copy is written that holds the good records only, as UTF-8.
 * So every bad row has its own line and reason, whatever the next reader would have made of it.
 */
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { RecordScan, type ScanFormat, type ScannedBad } from "./record-scan.ts";

export interface Scan {
  readonly digest: string;
  readonly bytes: number;
  /** Values of the first record, in a file with a header its names; empty where the file is. */
  readonly first: readonly string[];
  /** Good records, the header not counted. */
  readonly records: number;
  readonly badCount: number;
  readonly bad: readonly ScannedBad[];
  readonly latin1Lines: number;
  /** Line of good record n is n plus the shift of the last entry whose record is not beyond n. */
  readonly shifts: readonly { readonly record: number; readonly shift: number }[];
  /** The file itself, or the copy. */
  readonly path: string;
  readonly copied: boolean;
}

const blockBytes = 4 * bytesPerMiB;
/** Of the mark that a file in UTF-8 may begin with. */
const markBytes = 3;

/** Throws what the file system throws. */
export async function scanSource(path: string, format: ScanFormat, copyPath: string): Promise<Scan> {
  const scan = await pass(path, format, null);
  if (!scan.dirty) return { ...scan, path, copied: false };
  const out = await open(copyPath, "w");
  try {
    return { ...(await pass(path, format, out)), path: copyPath, copied: true };
  } finally {
    await out.close();
  }
}

type Pass = Omit<Scan, "path" | "copied"> & { readonly dirty: boolean };

async function pass(path: string, format: ScanFormat, out: FileHandle | null): Promise<Pass> {
  const hash = createHash("sha256");
  const writer = out === null ? null : new BlockWriter(out);
  const records = new RecordScan(format, writer);
  let bytes = 0;
  let marked = false;
  let buffer = Buffer.alloc(blockBytes);
  const file = await open(path, "r");
  try {
    let kept = 0;
    for (let last = false; !last;) {
      const { bytesRead } = await file.read(buffer, kept, buffer.length - kept);
      last = bytesRead === 0;
      hash.update(buffer.subarray(kept, kept + bytesRead));
      const start = bytes === 0 && startsWithMark(buffer, bytesRead) ? markBytes : 0;
      if (start > 0) marked = true;
      bytes += bytesRead;
      const taken = start + records.take(buffer.subarray(start, kept + bytesRead), last);
      await writer?.flush();
      kept = kept + bytesRead - taken;
      if (taken === 0 && kept === buffer.length) {
        const larger = Buffer.alloc(buffer.length * 2);
        buffer.copy(larger);
        buffer = larger;
      } else buffer.copyWithin(0, taken, taken + kept);
    }
  } finally {
    await file.close();
  }
  const scanned = records.scanned();
  return { ...scanned, digest: hash.digest("hex"), bytes, dirty: scanned.dirty || marked };
}

/** Gathers lines so that the disk sees blocks. */
class BlockWriter {
  readonly #file: FileHandle;
  #parts: Buffer[] = [];

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** The bytes are taken over as they are now. */
  add(record: Buffer): void {
    this.#parts.push(record, lineEnd);
  }

  /** To be called before the block that the records lie in is used again. */
  async flush(): Promise<void> {
    if (this.#parts.length > 0) await this.#file.writeFile(Buffer.concat(this.#parts));
    this.#parts = [];
  }
}

const lineEnd = Buffer.from("\n");

function startsWithMark(bytes: Uint8Array, length: number): boolean {
  return length >= markBytes && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}
