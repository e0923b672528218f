/**
 * Tells lines of a program's source that Python quotes, in a trace or behind a warning, from what the program says: `fit(x, loss=1)`
 * in a trace is no metric. One of these hears one stream; it looks at no line twice and keeps none.
 */

/** `  File "train.py", line 3, in <module>`, whatever a launcher has put before each line. */
const frame = /^(.{0,80}?)File ".+", line \d+(?:, in .*)?$/;
/** `train.py:3: UserWarning: …`, as the warnings module prints it, with the line of source below. */
const warning = /^\S.*:\d+: \w*Warning: /;
/** Where the next line of source begins, no line is longer. */
const lineCharactersMax = 2_000;
/** One statement may go over so many lines. */
const quotedLinesMax = 50;

export class QuotedSource {
  /** What stands before a quoted line, which goes on with white space; null: none is awaited. */
  #before: string | null = null;
  #left = 0;

  /** Whether this line, the next of its stream, is quoted source. */
  hear(line: string): boolean {
    const isShort = line.length <= lineCharactersMax;
    const framed = isShort && line.includes('File "') ? frame.exec(line) : null;
    if (framed !== null) return this.#await(framed[1] ?? "", quotedLinesMax);
    if (this.#before !== null && this.#left > 0 && isDeeper(line, this.#before)) {
      this.#left--;
      return true;
    }
    this.#before = null;
    const warned = isShort && line.includes("Warning: ") && warning.test(line);
    return warned ? this.#await("", 1) : false;
  }

  /** The line that begins it may hold a metric of its own. */
  #await(before: string, lines: number): false {
    this.#before = before;
    this.#left = lines;
    return false;
  }
}

function isDeeper(line: string, before: string): boolean {
  return line.startsWith(before) && /^\s+\S/.test(line.slice(before.length));
}
