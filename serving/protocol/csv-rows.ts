/** CSV as RFC 4180 has it, with one line of names: records of texts, null for an empty cell. Quotes, commas and line ends in quotes stand. */
import { turnDown, type Reading } from "./http-refusal.ts";

export interface CsvRows {
  readonly names: readonly string[];
  readonly records: readonly (readonly (string | null)[])[];
}

/** `rowsMax`: more are refused, once there is one too many. */
export function readCsv(text: string, rowsMax: number): Reading<CsvRows> {
  const lines: (string | null)[][] = [];
  let cells: (string | null)[] = [];
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  while (at < text.length) {
    const cell = readCell(text, at);
    if (cell === null)
      return turnDown(400, `line ${lines.length + 1} of the CSV has a quote that does not end`);
    cells.push(cell.value);
    at = cell.end;
    const mark = text[at];
    if (mark !== undefined && mark !== "," && mark !== "\n" && mark !== "\r")
      return turnDown(400, `line ${lines.length + 1} of the CSV has text after a quote that ends`);
    if (mark === ",") {
      at++;
      if (at < text.length) continue;
      cells.push(null);
    }
    at += text.startsWith("\r\n", at) ? 2 : 1;
    if (cells.length > 1 || cells[0] !== null) lines.push(cells);
    cells = [];
    if (lines.length > rowsMax + 1)
      return turnDown(413, `the CSV has more than ${rowsMax} rows; one request takes at most that`);
  }
  const [names, ...records] = lines;
  if (names === undefined) return turnDown(400, "the CSV is empty; its first line names the columns");
  return { ok: true, value: { names: names.map((name) => name ?? ""), records } };
}

function readCell(
  text: string,
  start: number,
): { readonly value: string | null; readonly end: number } | null {
  if (text[start] !== '"') {
    let end = start;
    while (end < text.length && text[end] !== "," && text[end] !== "\n" && text[end] !== "\r") end++;
    return { value: end === start ? null : text.slice(start, end), end };
  }
  let value = "";
  for (let at = start + 1; ;) {
    const end = text.indexOf('"', at);
    if (end === -1) return null;
    value += text.slice(at, end);
    if (text[end + 1] !== '"') return { value, end: end + 1 };
    value += '"';
    at = end + 2;
  }
}
