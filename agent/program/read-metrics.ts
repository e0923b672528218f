/**
 * Metrics out of what a command prints: `name=value` anywhere in a line (Katib's default, with dots and slashes allowed in
 * names), or a line that is one JSON object with numbers in it. A sweep may bring patterns of its own instead. All but those
 * takes time in proportion to the line, whatever stands in it; who runs patterns of others does so where they can be ended.
 */
import { regularExpression } from "../../text/regular-expression.ts";

export interface Report {
  readonly metric: string;
  /** NaN or infinite where the command said so. */
  readonly value: number;
}

const nameCharacter = /[\w|./-]/;
const space = /\s/;
const valueAhead = /\s*([^\s,;)\]}]+)/y;
/** Texts are matched to be passed over; one that does not end goes to the end of the line. */
const textOrNumberWord = /"(?:[^"\\]|\\.)*"?|-?Infinity|NaN/g;
/** Of a longer line the rest is not looked at. */
export const lineCharactersMax = 10_000;

/** What finds the reports of a line; patterns have a name and a value group. `onPattern` is told which is tried next. */
export function metricReader(
  patterns: readonly string[],
  onPattern: (index: number) => void = () => undefined,
): (line: string) => readonly Report[] {
  const own = patterns.map(patternMatches);
  return (line) => {
    const text = line.slice(0, lineCharactersMax);
    const json = jsonReports(text);
    if (json !== null) return json;
    const plain = usualReports(text);
    if (own.length === 0) return plain;
    const matched = own.flatMap((pattern, index) => {
      onPattern(index);
      return pattern(text).flatMap(([metric, written]) =>
        report((metric ?? "").trim(), (written ?? "").trim()),
      );
    });
    // A pattern for digits passes over `nan`, which must not go unsaid.
    return [
      ...matched.filter(({ value }) => Number.isFinite(value)),
      ...plain.filter(({ value }) => !Number.isFinite(value)),
    ];
  };
}

type Matches = (text: string) => readonly (readonly (string | null | undefined)[])[];

/** RE2's; a sweep from before they were asked for may have another that only JavaScript knows. */
function patternMatches(source: string): Matches {
  const read = regularExpression(source);
  if (read.ok) return (text) => read.value.matches(text);
  const pattern = javascriptPattern(source);
  if (pattern === null) throw new Error(`${source} ${read.refusal.message}`);
  return (text) => [...text.matchAll(pattern)].map(([, ...groups]) => groups);
}

function javascriptPattern(source: string): RegExp | null {
  try {
    return new RegExp(source, "g");
  } catch {
    return null;
  }
}

/**
 * What `/([\w|./-]+)\s*=\s*([^\s,;)\]}]+)/g` finds. That one begins anew at each letter of a long word; here every character
 * is passed a few times at most: each `=` is taken with what stands before and behind it.
 */
function usualReports(text: string): Report[] {
  const found: Report[] = [];
  let from = 0;
  for (let at = text.indexOf("="); at >= 0; at = text.indexOf("=", Math.max(at + 1, from))) {
    const name = nameBefore(text, at, from);
    valueAhead.lastIndex = at + 1;
    const written = name === "" ? null : valueAhead.exec(text);
    if (written === null) continue;
    from = valueAhead.lastIndex;
    found.push(...report(name, written[1] ?? ""));
  }
  return found;
}

function nameBefore(text: string, at: number, from: number): string {
  let end = at;
  while (end > from && space.test(text.charAt(end - 1))) end--;
  let begin = end;
  while (begin > from && nameCharacter.test(text.charAt(begin - 1))) begin--;
  return text.slice(begin, end);
}

function report(metric: string, written: string): Report[] {
  const value = numberOf(written);
  return value === null || metric === "" ? [] : [{ metric, value }];
}

/** A number as programs write it; null for anything else. */
function numberOf(written: string): number | null {
  const word = /^([+-]?)(nan|inf|infinity)$/i.exec(written);
  if (word !== null) {
    if (word[2]?.toLowerCase() === "nan") return NaN;
    return word[1] === "-" ? -Infinity : Infinity;
  }
  // 0.93% and 12ms are no bare numbers; neither is an empty text, which Number would call 0.
  return /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(written) ? Number(written) : null;
}

/** The numbers of a line that is a JSON object, as Python's json writes it; null where it is none. */
export function jsonReports(text: string): readonly Report[] | null {
  const line = text.trim();
  if (!line.startsWith("{") || !line.endsWith("}")) return null;
  const value = parsed(line) ?? parsed(quotedNumberWords(line));
  if (value === undefined || value === null || typeof value !== "object") return null;
  return Object.entries(value).flatMap(([metric, found]: [string, unknown]) => {
    if (typeof found === "number") return [{ metric, value: found }];
    const word = typeof found === "string" && /^-?(NaN|Infinity)$/.test(found) ? numberOf(found) : null;
    return word === null ? [] : [{ metric, value: word }];
  });
}

function quotedNumberWords(line: string): string {
  return line.replaceAll(textOrNumberWord, (found) => (found.startsWith('"') ? found : `"${found}"`));
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
