/**
 * A table as CSV (RFC 4180): UTF-8 without a byte-order mark, lines end with LF, no value is an empty field and an empty text is
 * `""`. Texts stand as they are, also where a spreadsheet would take one for a formula: to change them would be to lie.
 */
import { cellText } from "./cell-text.ts";
import type { ExportTable } from "./export-table.ts";

const rowsAtOnce = 500;

/** In pieces of several lines each, the header first. */
export async function* csvText({ columns, read }: ExportTable): AsyncGenerator<string> {
  let piece = [columns.map(({ name }) => field(name)).join(",")];
  for await (const row of read()) {
    piece.push(columns.map(({ type }, at) => field(cellText(row[at] ?? null, type))).join(","));
    if (piece.length < rowsAtOnce) continue;
    yield `${piece.join("\n")}\n`;
    piece = [];
  }
  if (piece.length > 0) yield `${piece.join("\n")}\n`;
}

function field(text: string | null): string {
  if (text === null) return "";
  return text === "" || /[",\r\n]|^\s|\s$/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
