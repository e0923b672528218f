/**
 * Rows of JSON lines: one object a line, its columns those that the first lines have. Lists and objects inside are texts, as
 * a build reads them.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Value } from "../../protocol/value.ts";
import { recordBytesMax } from "../../data/source/record.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import type { ByteInput } from "./byte-input.ts";
import { excerptCharacters, type BadLine, type RowBatch, type RowSource } from "./row-source.ts";

const newline = 0x0a;

export function jsonRows(input: ByteInput): Outcome<RowSource> {
  const { head, title } = input;
  if (/^\s*\[/u.test(head.toString("latin1", 0, excerptCharacters)))
    return refuse(
      "invalid",
      `${title} is a JSON array; JSON lines have one object in each line, with no brackets around them`,
    );
  const end = head.lastIndexOf(newline);
  const lines = head.toString("utf8", 0, end === -1 ? head.length : end).split("\n");
  const names = new Set(lines.flatMap((line) => Object.keys(objectOf(line) ?? {})));
  if (names.size === 0)
    return refuse("invalid", `${title} holds no JSON object; each line should be one, as in {"text": "…"}`);
  return accept({
    title,
    names: [...names],
    types: null,
    bytes: input.bytes,
    notes: [],
    batches: () => batches(input, [...names]),
  });
}

async function* batches(input: ByteInput, names: readonly string[]): AsyncGenerator<RowBatch> {
  const reader = new LineReader(names);
  for await (const read of input.blocks()) {
    read.keep(reader.take(read.block, read.isLast));
    yield reader.batch(read.bytes);
  }
}

class LineReader {
  readonly #names: readonly string[];
  #columns: (Value | null)[][] = [];
  #lines: number[] = [];
  #bad: BadLine[] = [];
  /** Of the one read last. */
  #line = 0;
  /** In the middle of a line that is too long. */
  #isSkipping = false;

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#clear();
  }

  /** Gives how many bytes it took; the rest belongs in front of the next block. */
  take(block: Buffer, isLast: boolean): number {
    const from = this.#isSkipping ? block.indexOf(newline) + 1 : 0;
    if (this.#isSkipping && from === 0) return block.length;
    this.#isSkipping = false;
    const end = isLast ? block.length : block.lastIndexOf(newline) + 1;
    if (end <= from && block.length - from > recordBytesMax) {
      this.#addLine(block.toString("utf8", from));
      this.#isSkipping = true;
      return block.length;
    }
    const texts = block.toString("utf8", from, end).split("\n");
    if (texts.at(-1) === "") texts.pop();
    for (const text of texts) this.#addLine(text);
    return Math.max(from, end);
  }

  /** What was taken since the last. */
  batch(bytes: number): RowBatch {
    const made = { columns: this.#columns, lines: this.#lines, bad: this.#bad, bytes };
    this.#clear();
    return { ...made, count: made.lines.length };
  }

  #clear(): void {
    this.#columns = this.#names.map(() => []);
    this.#lines = [];
    this.#bad = [];
  }

  #addLine(text: string): void {
    const line = ++this.#line;
    if (text.trim() === "") return;
    const row = objectOf(text);
    if (row === null) {
      const isLong = text.length > recordBytesMax;
      const reason = isLong
        ? `it is longer than ${recordBytesMax / bytesPerMiB} MiB`
        : "it is no JSON object";
      this.#bad.push({ line, text: text.slice(0, excerptCharacters), reason });
      return;
    }
    for (const [at, name] of this.#names.entries()) this.#columns[at]?.push(valueOf(row, name));
    this.#lines.push(line);
  }
}

function objectOf(line: string): Readonly<Record<string, unknown>> | null {
  if (line.length > recordBytesMax) return null;
  try {
    const parsed: unknown = JSON.parse(line);
    return isObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function valueOf(row: Readonly<Record<string, unknown>>, name: string): Value | null {
  const value = Object.hasOwn(row, name) ? row[name] : null;
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return value;
    default:
      return value === null || value === undefined ? null : JSON.stringify(value);
  }
}
