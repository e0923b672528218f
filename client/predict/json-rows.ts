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
  let line = 0;
  for await (const read of input.blocks()) {
    const { block, bytes, isLast } = read;
    const end = block.lastIndexOf(newline);
    const isLong = block.length > recordBytesMax;
    const taken = isLast || isLong ? block.length : end + 1;
    read.keep(taken);
    const columns: (Value | null)[][] = names.map(() => []);
    const lines: number[] = [];
    const bad: BadLine[] = [];
    const texts = block.toString("utf8", 0, taken).split("\n");
    if (texts.at(-1) === "") texts.pop();
    for (const text of texts) {
      line++;
      if (text.trim() === "") continue;
      const row = objectOf(text);
      if (row === null) {
        const long = text.length > recordBytesMax;
        const reason = long
          ? `it is longer than ${recordBytesMax / bytesPerMiB} MiB`
          : "it is no JSON object";
        bad.push({ line, text: text.slice(0, excerptCharacters), reason });
        continue;
      }
      for (const [at, name] of names.entries()) columns[at]?.push(valueOf(row, name));
      lines.push(line);
    }
    yield { count: lines.length, columns, lines, bad, bytes };
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
