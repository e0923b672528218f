/**
 * Rows of CSV and its like out of blocks of bytes, cut as a build cuts them: quoted values may span lines, a line that is not
 * UTF-8 is read as ISO-8859-1, and one that cannot be read is told with its number.
 */
import { isUtf8 } from "node:buffer";
import type { DelimitedSource } from "../../data/declaration/source.ts";
import { columnNameFault, namesToUse } from "../../data/engine/column-name.ts";
import { cutRecords, fieldsOf, type RecordSpan } from "../../data/source/record.ts";
import { recordFault } from "../../data/source/record-scan.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { ByteInput } from "./byte-input.ts";
import { excerptCharacters, type BadLine, type RowBatch, type RowSource } from "./row-source.ts";

interface Dialect {
  readonly delimiter: string;
  readonly quote: string;
}

export interface DelimitedOptions {
  readonly isTsv: boolean;
  /** How the dataset's own files are written, for one that has no header either. */
  readonly own: DelimitedSource | null;
  /** Columns that the model reads. */
  readonly wanted: readonly string[];
}

const delimiters = [",", ";", "\t", "|"];

/** `head`: the beginning of the file. */
export function delimitedRows(input: ByteInput, options: DelimitedOptions): Outcome<RowSource> {
  const { head, title } = input;
  const dialect = dialectOf(head, options.isTsv);
  const first = firstRecord(head, dialect);
  if (first === null) return refuse("invalid", `${title} holds no row`);
  const { own, wanted } = options;
  const trimmed = first.map((name) => name.trim());
  const hasHeader = wanted.some((name) => trimmed.includes(name));
  const declared = own?.columns;
  const takesDeclared =
    !hasHeader && own?.header === false && declared !== undefined && declared.length === first.length;
  const names = takesDeclared
    ? declared
    : namesToUse(trimmed, new Set(wanted.map((name) => name.toLowerCase())));
  const fault = columnNameFault(title, names);
  if (fault !== null) return refuse("invalid", fault);
  return accept({
    title,
    names,
    types: null,
    bytes: input.bytes,
    notes: takesDeclared
      ? [`${title} has no header; its columns are taken to be ${names.join(", ")}, as in the dataset`]
      : [],
    batches: () => batches(input, dialect, names.length, !takesDeclared),
  });
}

/** The delimiter that divides the first line most often. */
function dialectOf(head: Buffer, isTsv: boolean): Dialect {
  if (isTsv) return { delimiter: "\t", quote: "" };
  const counts = delimiters.map((delimiter) => ({
    delimiter,
    fields: firstRecord(head, { delimiter, quote: '"' })?.length ?? 0,
  }));
  const best = counts.reduce((most, one) => (one.fields > most.fields ? one : most));
  return { delimiter: best.delimiter, quote: '"' };
}

function firstRecord(head: Buffer, dialect: Dialect): readonly string[] | null {
  let first: readonly string[] | null = null;
  cutRecords(head, head.length, true, bytesOf(dialect), ({ from, to }) => {
    if (first === null && to > from)
      first = fieldsOf(textOf(head.subarray(from, to)), dialect.delimiter, dialect.quote);
  });
  return first;
}

function bytesOf({ delimiter, quote }: Dialect) {
  return { delimiter: delimiter.charCodeAt(0), quote: quote === "" ? -1 : quote.charCodeAt(0) };
}

function textOf(raw: Buffer): string {
  return isUtf8(raw) ? raw.toString("utf8") : raw.toString("latin1");
}

async function* batches(
  input: ByteInput,
  dialect: Dialect,
  width: number,
  hasHeader: boolean,
): AsyncGenerator<RowBatch> {
  const reader = new RecordReader(dialect, width, hasHeader);
  for await (const read of input.blocks()) {
    const { block, bytes, isLast } = read;
    read.keep(reader.take(block, isLast));
    yield reader.batch(bytes);
  }
}

class RecordReader {
  readonly #dialect: Dialect;
  readonly #bytes: ReturnType<typeof bytesOf>;
  readonly #width: number;
  #isHeader: boolean;
  /** Of the next record. */
  #line = 1;
  #block: Buffer = Buffer.alloc(0);
  #isClean = false;
  #columns: (string | null)[][] = [];
  #lines: number[] = [];
  #bad: BadLine[] = [];

  constructor(dialect: Dialect, width: number, hasHeader: boolean) {
    this.#dialect = dialect;
    this.#bytes = bytesOf(dialect);
    this.#width = width;
    this.#isHeader = hasHeader;
    this.#clear();
  }

  /** Gives how many bytes it took; the rest belongs in front of the next block. */
  take(block: Buffer, isLast: boolean): number {
    this.#block = block;
    this.#isClean = isUtf8(block) && !block.includes(0);
    return cutRecords(block, block.length, isLast, this.#bytes, this.#visit);
  }

  /** What was taken since the last. */
  batch(bytes: number): RowBatch {
    const made = {
      count: this.#lines.length,
      columns: this.#columns,
      lines: this.#lines,
      bad: this.#bad,
      bytes,
    };
    this.#clear();
    return made;
  }

  #clear(): void {
    this.#columns = Array.from({ length: this.#width }, () => []);
    this.#lines = [];
    this.#bad = [];
  }

  readonly #visit = (span: RecordSpan): void => {
    const line = this.#line;
    this.#line += 1 + span.innerLines;
    if (span.to === span.from) return;
    if (this.#isHeader) {
      this.#isHeader = false;
      return;
    }
    const raw = this.#block.subarray(span.from, span.to);
    const utf8 = this.#isClean || isUtf8(raw);
    const text = raw.toString(utf8 ? "utf8" : "latin1");
    if (span.fields === 1 && text.trim() === "") return;
    const reason = recordFault(span, raw, {
      isClean: this.#isClean,
      isUtf8: utf8,
      latin1Lines: true,
      fields: this.#width,
    });
    if (reason !== null) {
      this.#bad.push({ line, text: text.slice(0, excerptCharacters), reason });
      return;
    }
    const { delimiter, quote } = this.#dialect;
    const fields = this.#width === 1 && text[0] !== quote ? [text] : fieldsOf(text, delimiter, quote);
    for (let at = 0; at < this.#width; at++) {
      const field = fields[at] ?? "";
      this.#columns[at]?.push(field === "" ? null : field);
    }
    this.#lines.push(line);
  };
}
