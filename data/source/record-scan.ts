/**
 * What is right and wrong with the records of a delimited file, one after another: counted, the bad ones noted with their
 * line and reason, the good ones handed to whoever writes the copy. It reads no file and writes none.
 */
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { isUtf8 } from "node:buffer";
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

/** Where the good records go, in the file's order. */
export interface RecordSink {
  /** The bytes are valid only while the call lasts, or until the block is used again. */
  add(record: Buffer): void;
}

const excerptCharacters = 80;
const newline = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const notAscii = 0x80;

export interface RecordDemand {
  /** It is known to be UTF-8 without a NUL byte. */
  readonly isClean: boolean;
  readonly isUtf8: boolean;
  /** Whether a line that is not UTF-8 is read as ISO-8859-1. */
  readonly latin1Lines: boolean;
  /** How many it should have; null: any number. */
  readonly fields: number | null;
}

/** Why a record cannot be read, or null. */
export function recordFault(
  span: RecordSpan,
  raw: Buffer,
  { fields, isClean, isUtf8: utf8, latin1Lines }: RecordDemand,
): string | null {
  if (!isClean && raw.includes(0)) return "it holds a NUL byte; this is not a text file";
  if (!utf8 && !latin1Lines) return "it is not UTF-8; give the encoding, as in encoding: iso-8859-1";
  if (span.open) return "a quote is opened here and never closed";
  if (span.torn) return "text follows a closing quote; a quote inside a quoted value is doubled";
  if (span.to - span.from > recordBytesMax) return `it is longer than ${recordBytesMax / bytesPerMiB} MiB`;
  if (fields !== null && span.fields !== fields)
    return `it has ${span.fields} ${span.fields === 1 ? "field" : "fields"} and should have ${fields}`;
  return null;
}

export class RecordScan {
  readonly #format: ScanFormat;
  readonly #dialect: Dialect;
  readonly #sink: RecordSink | null;
  readonly #bad: ScannedBad[] = [];
  readonly #shifts: { record: number; shift: number }[] = [];
  #badCount = 0;
  /** Of the next record. */
  #line = 1;
  #records = 0;
  #latin1Lines = 0;
  #shift = Number.NaN;
  /** Line ends of each kind. */
  #lf = 0;
  #crlf = 0;
  #dirty = false;
  #first: readonly string[] | null = null;
  #fields: number | null;
  #block: Buffer = Buffer.alloc(0);
  /** The whole block is UTF-8 without a NUL byte, so that its records need not be looked at one by one. */
  #blockIsClean = false;

  constructor(format: ScanFormat, sink: RecordSink | null) {
    this.#format = format;
    this.#dialect = { delimiter: byteOf(format.delimiter), quote: byteOf(format.quote) };
    this.#sink = sink;
    this.#fields = format.fields;
  }

  /** Takes the whole records of a block; gives how many bytes they had. The rest belongs in front of the next block. */
  take(block: Buffer, last: boolean): number {
    this.#block = block;
    const end = Math.max(block.lastIndexOf(newline), block.lastIndexOf(carriageReturn)) + 1;
    this.#blockIsClean = !last && isUtf8(block.subarray(0, end)) && !block.includes(0);
    return cutRecords(block, block.length, last, this.#dialect, this.#visit);
  }

  /** What was found so far. `dirty`: a copy should be read in the file's place. */
  scanned() {
    return {
      first: this.#first ?? [],
      records: this.#records,
      badCount: this.#badCount,
      bad: this.#bad,
      latin1Lines: this.#latin1Lines,
      shifts: this.#shifts,
      dirty: this.#dirty || (this.#crlf > 0 && this.#lf > 0),
    };
  }

  readonly #visit = (span: RecordSpan): void => {
    const line = this.#line;
    this.#line += 1 + span.innerLines;
    if (span.to === span.from) {
      this.#dirty = true; // a blank line is no record
      return;
    }
    this.#countEnd(span.to);
    const raw = this.#block.subarray(span.from, span.to);
    if (span.fields === 1 && isBlank(raw)) {
      this.#dirty = true;
      return;
    }
    const utf8 = this.#blockIsClean || isUtf8(raw);
    const isClean = this.#blockIsClean;
    const reason = recordFault(span, raw, {
      isClean,
      isUtf8: utf8,
      latin1Lines: this.#format.latin1Lines,
      fields: this.#dialect.delimiter === -1 ? null : this.#fields,
    });
    if (reason === null) this.#takeGood(span, raw, utf8, line);
    else this.#takeBad(raw, utf8, line, reason);
  };

  /** The last line of a file may have no end. */
  #countEnd(at: number): void {
    if (this.#block[at] === newline) this.#lf++;
    else if (this.#block[at + 1] === newline) this.#crlf++;
    else if (this.#block[at] === carriageReturn) this.#dirty = true; // the next reader may take it for no end
  }

  #takeBad(raw: Buffer, utf8: boolean, line: number, reason: string): void {
    this.#dirty = true;
    if (this.#format.header && this.#first === null) this.#first = [];
    this.#badCount++;
    if (this.#bad.length < badRowsShown)
      this.#bad.push({ line, value: textOf(raw, utf8).slice(0, excerptCharacters), reason });
  }

  #takeGood(span: RecordSpan, raw: Buffer, utf8: boolean, line: number): void {
    const { delimiter, header, quote } = this.#format;
    if (!utf8) {
      this.#dirty = true;
      this.#latin1Lines++;
    }
    if (span.odd) this.#dirty = true;
    const isHeader = header && this.#first === null;
    if (this.#first === null) {
      const text = textOf(raw, utf8);
      this.#first = this.#dialect.delimiter === -1 ? [text] : fieldsOf(text, delimiter, quote);
      this.#fields ??= this.#first.length;
    }
    if (!isHeader) {
      if (line - this.#records !== this.#shift) {
        this.#shift = line - this.#records;
        this.#shifts.push({ record: this.#records, shift: this.#shift });
      }
      this.#records++;
    }
    if (this.#sink === null) return;
    if (utf8 && !span.odd) this.#sink.add(raw);
    else this.#sink.add(Buffer.from(requoted(textOf(raw, utf8), this.#format)));
  }
}

function textOf(raw: Buffer, utf8: boolean): string {
  return utf8 ? raw.toString("utf8") : raw.toString("latin1");
}

function byteOf(character: string): number {
  return character === "" ? -1 : character.charCodeAt(0);
}

function isBlank(line: Buffer): boolean {
  const head = line[0] ?? 0;
  return (head <= space || head >= notAscii) && line.toString("utf8").trim() === "";
}

/** The record as any reader understands it. Undivided lines have no quotes. */
function requoted(record: string, { delimiter, quote }: ScanFormat): string {
  if (delimiter === "" || quote === "") return record;
  return fieldsOf(record, delimiter, quote)
    .map((field) => (field === "" ? "" : `${quote}${field.replaceAll(quote, quote + quote)}${quote}`))
    .join(delimiter);
}
