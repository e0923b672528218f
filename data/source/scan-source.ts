/**
 * Reads a delimited file once, before DuckDB does: its SHA-256, its records and their lines, and whatever is wrong with
 * it. A clean file is left where it is; of any other a copy is written that holds the good records only, as UTF-8.
 * So every bad row has its own line and reason, whatever the next reader would have made of it.
 */
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { badRowsShown } from "../row/bad-row.ts";
import { cutRecords, fieldsOf, recordBytesMax, type Dialect, type RecordSpan } from "./record.ts";

export interface ScanFormat {
  /** Empty for lines that are not divided. */
  readonly delimiter: string;
  readonly quote: string;
  readonly header: boolean;
  /** How many fields each record should have; null: as many as the first. */
  readonly fields: number | null;
  /** Whether a line that is not UTF-8 is read as ISO-8859-1, or is bad. */
  readonly latin1Lines: boolean;
}

export interface ScannedBad {
  readonly line: number;
  readonly value: string | null;
  readonly reason: string;
}

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
const excerptCharacters = 80;
const carriageReturn = 0x0d;
const space = 0x20;
const notAscii = 0x80;

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
  const dialect: Dialect = { delimiter: byteOf(format.delimiter), quote: byteOf(format.quote) };
  const writer = out === null ? null : new BlockWriter(out);
  const bad: ScannedBad[] = [];
  const shifts: { record: number; shift: number }[] = [];
  let [bytes, line, records, badCount, latin1Lines, shift] = [0, 1, 0, 0, 0, Number.NaN];
  let [lf, crlf] = [0, 0];
  let dirty = false;
  let first: readonly string[] | null = null;
  let fields = format.fields;
  let buffer = Buffer.alloc(blockBytes);
  let block: Buffer = buffer;
  let blockIsClean = false;

  const visit = (span: RecordSpan): void => {
    const here = line;
    line += 1 + span.innerLines;
    if (span.to === span.from) {
      dirty = true; // a blank line is no record
      return;
    }
    if (block[span.to] === carriageReturn) crlf++;
    else lf++;
    const raw = block.subarray(span.from, span.to);
    if (span.fields === 1 && isBlank(raw)) {
      dirty = true;
      return;
    }
    const utf8 = blockIsClean || isUtf8(raw);
    const text = () => (utf8 ? raw.toString("utf8") : raw.toString("latin1"));
    let reason: string | null = null;
    if (!blockIsClean && raw.includes(0)) reason = "it holds a NUL byte; this is not a text file";
    else if (!utf8 && !format.latin1Lines)
      reason = "it is not UTF-8; give the encoding, as in encoding: iso-8859-1";
    else if (span.open) reason = "a quote is opened here and never closed";
    else if (span.torn) reason = "text follows a closing quote; a quote inside a quoted value is doubled";
    else if (span.to - span.from > recordBytesMax)
      reason = `it is longer than ${recordBytesMax / bytesPerMiB} MiB`;
    else if (dialect.delimiter !== -1 && fields !== null && span.fields !== fields)
      reason = `it has ${span.fields} ${span.fields === 1 ? "field" : "fields"} and should have ${fields}`;
    const isHeader = format.header && first === null;
    if (reason !== null) {
      dirty = true;
      if (isHeader) first = [];
      badCount++;
      if (bad.length < badRowsShown)
        bad.push({ line: here, value: text().slice(0, excerptCharacters), reason });
      return;
    }
    if (!utf8) {
      dirty = true;
      latin1Lines++;
    }
    if (span.odd) dirty = true;
    if (first === null) {
      first = dialect.delimiter === -1 ? [text()] : fieldsOf(text(), format.delimiter, format.quote);
      fields ??= first.length;
    }
    if (!isHeader) {
      if (here - records !== shift) {
        shift = here - records;
        shifts.push({ record: records, shift });
      }
      records++;
    }
    if (writer !== null) {
      if (utf8 && !span.odd) writer.add(raw);
      else writer.add(Buffer.from(requoted(text(), format)));
    }
  };

  const file = await open(path, "r");
  try {
    let kept = 0;
    for (let last = false; !last;) {
      const { bytesRead } = await file.read(buffer, kept, buffer.length - kept);
      last = bytesRead === 0;
      hash.update(buffer.subarray(kept, kept + bytesRead));
      const start = bytes === 0 && startsWithMark(buffer, bytesRead) ? 3 : 0;
      if (start > 0) dirty = true;
      bytes += bytesRead;
      block = buffer.subarray(start, kept + bytesRead);
      blockIsClean = isUtf8(block.subarray(0, block.lastIndexOf(0x0a) + 1)) && !block.includes(0);
      if (last) blockIsClean = false;
      const taken = start + cutRecords(block, block.length, last, dialect, visit);
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
  return {
    digest: hash.digest("hex"),
    bytes,
    first: first ?? [],
    records,
    badCount,
    bad,
    latin1Lines,
    shifts,
    dirty: dirty || (crlf > 0 && lf > 1), // only the last line of a file may end unlike the others
  };
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

function byteOf(character: string): number {
  return character === "" ? -1 : character.charCodeAt(0);
}

function isBlank(line: Buffer): boolean {
  const head = line[0] ?? 0;
  return (head <= space || head >= notAscii) && line.toString("utf8").trim() === "";
}

function startsWithMark(bytes: Uint8Array, length: number): boolean {
  return length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

/** The record as any reader understands it. Undivided lines have no quotes; a lone carriage return there is a space. */
function requoted(record: string, { delimiter, quote }: ScanFormat): string {
  if (delimiter === "" || quote === "") return record.replaceAll("\r", " ");
  return fieldsOf(record, delimiter, quote)
    .map((field) => (field === "" ? "" : `${quote}${field.replaceAll(quote, quote + quote)}${quote}`))
    .join(delimiter);
}
