/**
 * Reads files with one example per line, the label first, then white space, then the text (TREC, SST-2).
 * A line that is not UTF-8 is read as ISO-8859-1 and counted; a line that is no example is kept aside
 * with its number and the reason. It does not decide how many such lines are too many.
 */

export interface LabelledLine {
  readonly label: string;
  readonly text: string;
}

export interface BadLine {
  /** Counted from 1. */
  readonly line: number;
  readonly reason: string;
}

export interface LabelledLines {
  readonly examples: readonly LabelledLine[];
  readonly bad: readonly BadLine[];
  /** Lines read as ISO-8859-1 because they are not UTF-8. */
  readonly latin1Lines: readonly number[];
}

const newline = 0x0a;

export function parseLabelledLines(bytes: Uint8Array): LabelledLines {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  const examples: LabelledLine[] = [];
  const bad: BadLine[] = [];
  const latin1Lines: number[] = [];
  let from = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  for (let line = 1; from < bytes.length; line++) {
    const found = bytes.indexOf(newline, from);
    const to = found === -1 ? bytes.length : found;
    const slice = bytes.subarray(from, to);
    from = to + 1;
    let raw: string;
    try {
      raw = utf8.decode(slice);
    } catch {
      raw = Buffer.from(slice).toString("latin1");
      latin1Lines.push(line);
    }
    const parsed = parseLine(raw);
    if (typeof parsed === "string") bad.push({ line, reason: parsed });
    else if (parsed !== null) examples.push(parsed);
  }
  return { examples, bad, latin1Lines };
}

/** An example, the reason why not, or null for a blank line. */
function parseLine(raw: string): LabelledLine | string | null {
  const line = raw.trim();
  if (line === "") return null;
  const match = /^(\S+)\s+(.*)$/su.exec(line);
  if (match === null) return `only a label ("${line.slice(0, 40)}") and no text after it`;
  const [, label = "", text = ""] = match;
  if (text.includes("\u0000")) return "it holds a NUL byte; this is not a text file";
  return { label, text };
}
