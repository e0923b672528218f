/**
 * A value as one line of JSON, whoever reads the lines: JSON lets the two line separators of Unicode stand in a text as they are, and
 * Node's `readline` takes them for the end of a line.
 */
const separators = /[\u2028\u2029]/gu;

export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replaceAll(separators, (one) => (one === "\u2028" ? "\\u2028" : "\\u2029"));
}
