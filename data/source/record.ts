/**
 * Finds the records of a delimited file in its bytes, whatever ends its lines (LF, CRLF, a lone CR, each in turn): where each begins and ends, how many fields it has, and what is
 * odd about it. A quoted value may span lines. Nothing is decoded or copied here, so that a gigabyte takes seconds.
 */
import { bytesPerMiB } from "../../protocol/byte-unit.ts";

/** Bytes; -1 where there is none. */
export interface Dialect {
  readonly delimiter: number;
  readonly quote: number;
}

/** One record, valid only while it is visited; the object is used again for the next. */
export interface RecordSpan {
  /** Byte range in the block, without the line end. */
  from: number;
  to: number;
  /** Line ends inside it. */
  innerLines: number;
  fields: number;
  /** A quote inside a value that is not quoted: to be quoted before another reader sees it. */
  odd: boolean;
  /** Text after a closing quote. */
  torn: boolean;
  /** A quote that was opened here is closed nowhere in reach; only the first line is taken. */
  open: boolean;
}

/** A quoted value, and any record, ends within this many bytes or counts as broken. */
export const recordBytesMax = 8 * bytesPerMiB;

const newline = 0x0a;
const carriageReturn = 0x0d;

/** A block of bytes that is cut. */
interface Block {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Nothing comes after it. */
  readonly last: boolean;
  readonly dialect: Dialect;
  /** 1 for each byte that is not just part of a value. */
  readonly special: Uint8Array;
}

/**
 * Visits the whole records in `bytes[0, length)` and returns how many bytes they took; the rest belongs in front of the
 * next block, unless `last`, when all is taken.
 */
export function cutRecords(
  bytes: Uint8Array,
  length: number,
  last: boolean,
  dialect: Dialect,
  visit: (span: RecordSpan) => void,
): number {
  const span: RecordSpan = { from: 0, to: 0, innerLines: 0, fields: 1, odd: false, torn: false, open: false };
  const special = new Uint8Array(256);
  for (const byte of [newline, carriageReturn, dialect.delimiter, dialect.quote])
    if (byte >= 0) special[byte] = 1;
  const block: Block = { bytes, length, last, dialect, special };
  let at = 0;
  while (at < length) {
    const from = at;
    span.from = from;
    span.innerLines = 0;
    span.fields = 1;
    span.odd = false;
    span.torn = false;
    span.open = false;
    at = endOfRecord(block, from, span);
    if (at === -1) return from;
    if (span.open) {
      at = endOfLine(bytes, from, length);
      span.innerLines = 0;
    }
    if (at === length && !last) return from;
    span.to = at > from && bytes[at] !== carriageReturn && bytes[at - 1] === carriageReturn ? at - 1 : at;
    at++;
    visit(span);
  }
  return length;
}

/** Where the line's end lies, its last byte; the end of the bytes where it has none. */
function endOfLine(bytes: Uint8Array, from: number, length: number): number {
  for (let at = from; at < length; at++) {
    if (bytes[at] === newline) return at;
    if (bytes[at] === carriageReturn && bytes[at + 1] !== newline) return at;
  }
  return length;
}

/** Where the record that begins at `from` ends, or the block does; -1 where a quoted value may be closed in the next. */
function endOfRecord(block: Block, from: number, span: RecordSpan): number {
  const { bytes, length, special } = block;
  const { delimiter, quote } = block.dialect;
  let at = from;
  let fieldStart = true;
  while (at < length) {
    const plain = at;
    while (at < length && special[bytes[at] ?? 0] === 0) at++;
    if (at > plain) fieldStart = false;
    if (at === length) break;
    const byte = bytes[at];
    if (byte === newline) break;
    if (byte === delimiter) {
      span.fields++;
      fieldStart = true;
      at++;
      continue;
    }
    if (byte === quote) {
      if (!fieldStart) {
        span.odd = true;
        at++;
        continue;
      }
      const close = closingQuote(bytes, at + 1, length, quote, span);
      if (close === -1) {
        if (!block.last && length - from < recordBytesMax) return -1;
        span.open = true;
        break;
      }
      at = close + 1;
      fieldStart = false;
      const next = bytes[at];
      if (at < length && next !== delimiter && next !== newline && next !== carriageReturn) span.torn = true;
      continue;
    }
    // What is left is a carriage return: with the newline behind it one line end, alone one of its own.
    if (at + 1 === length) return block.last ? at : length;
    if (bytes[at + 1] !== newline) break;
    at++;
  }
  return at;
}

/** Where the quoted value that begins at `at` is closed, or -1; counts its line ends. */
function closingQuote(
  bytes: Uint8Array,
  at: number,
  length: number,
  quote: number,
  span: RecordSpan,
): number {
  for (let here = at; here < length; here++) {
    const byte = bytes[here];
    if (byte === newline || (byte === carriageReturn && bytes[here + 1] !== newline)) span.innerLines++;
    else if (byte === quote) {
      if (here + 1 < length && bytes[here + 1] === quote) here++;
      else return here;
    }
  }
  return -1;
}

/** The values of one record, unquoted. */
export function fieldsOf(record: string, delimiter: string, quote: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    let value = "";
    if (quote !== "" && record[at] === quote) {
      at++;
      for (;;) {
        const close = record.indexOf(quote, at);
        if (close === -1) {
          value += record.slice(at);
          at = record.length;
          break;
        }
        value += record.slice(at, close);
        at = close + 1;
        if (record[at] !== quote) break;
        value += quote;
        at++;
      }
    }
    const end = delimiter === "" ? -1 : record.indexOf(delimiter, at);
    value += record.slice(at, end === -1 ? record.length : end);
    fields.push(value);
    if (end === -1) return fields;
    at = end + 1;
  }
}
