/**
 * Metrics out of what a command prints: a line that is one JSON object with numbers in it, or `name=value` anywhere in a line
 * (`named-number.ts`), whatever colours it. A sweep may bring patterns of its own instead. All but those takes time in proportion
 * to the line, whatever stands in it; who runs patterns of others does so where they can be ended.
 */
import { withoutSequences } from "../../text/printable.ts";
import { namedNumbers } from "./named-number.ts";
import { isWholeNumber, numberOf } from "./printed-number.ts";
import type { Report, Unread, UnreadValue } from "./metric-report.ts";

export interface ReadingOptions {
  /** Metrics that count, which are found as they are written, whatever characters they have. */
  readonly names?: readonly string[];
  /** Told which of the patterns is tried next. */
  readonly onPattern?: (index: number) => void;
  readonly onUnread?: (unread: Unread) => void;
}

/** Texts are matched to be passed over; one that does not end goes to the end of the line. */
const textOrNumberWord = /"(?:[^"\\]|\\.)*"?|-?Infinity|NaN/g;
/** Patterns of others see no more of a line. */
const patternCharactersMax = 10_000;
const shownCharactersMax = 60;

/** What finds the reports of a line; patterns have a name and a value group. */
export function metricReader(
  patterns: readonly string[],
  options: ReadingOptions = {},
): (line: string) => readonly Report[] {
  const { names = [], onPattern = () => undefined, onUnread = () => undefined } = options;
  const own = patterns.map((pattern) => new OwnPattern(pattern));
  const isKnown = (metric: string) => names.includes(metric);
  return (line) => {
    const text = withoutSequences(line);
    const json = jsonReports(text, onUnread, names) ?? jsonWithin(text, names);
    if (json !== null) return json;
    const plain = namedNumbers(text, names);
    if (own.length === 0) {
      plain.unread.forEach(onUnread);
      return plain.reports;
    }
    if (text.length > patternCharactersMax)
      onUnread({ kind: "line", characters: text.length, read: patternCharactersMax });
    const seen = text.slice(0, patternCharactersMax);
    const matched = own.flatMap((pattern, index) => {
      onPattern(index);
      return pattern.reports(seen, (unread) => isKnown(unread.metric) && onUnread(unread));
    });
    // A pattern for digits passes over `nan`, which must not go unsaid.
    return [
      ...matched.filter(({ value }) => Number.isFinite(value)),
      ...plain.reports.filter(({ value }) => !Number.isFinite(value)),
    ];
  };
}

/** A requester's pattern: its first group is a metric's name, its second the value. */
class OwnPattern {
  readonly #pattern: RegExp;
  /** It says itself what may follow, so what follows is no part of the number. */
  readonly #looksBeyond: boolean;

  constructor(pattern: string) {
    this.#pattern = new RegExp(pattern, "dg");
    this.#looksBeyond = /\(\?<?[=!]/.test(pattern);
  }

  reports(line: string, onUnread: (unread: UnreadValue) => void): Report[] {
    return [...line.matchAll(this.#pattern)].flatMap((match) => {
      const [whole, metric = "", written = ""] = match;
      const value = numberOf(written);
      if (metric === "" || written === "") return [];
      const [from = 0, to = 0] = match.indices?.[2] ?? [];
      // What it matched behind the number, it took for no part of it.
      const isOpen = to === match.index + whole.length && !this.#looksBeyond;
      if (value !== null && isWholeNumber(line, from, isOpen ? to : null)) return [{ metric, value }];
      onUnread({ kind: "value", metric, written: around(line, from, to) });
      return [];
    });
  }
}

/** The word in which a value stands. */
function around(line: string, from: number, to: number): string {
  const before = /[^\s:=]*$/.exec(line.slice(Math.max(0, from - shownCharactersMax), from))?.[0] ?? "";
  const after = /^\S*/.exec(line.slice(to, to + shownCharactersMax))?.[0] ?? "";
  return `${before}${line.slice(from, to)}${after}`.slice(0, shownCharactersMax);
}

/**
 * The numbers of a line that is a JSON object, as Python's json writes it; null where it is none. Of the `names` it is told what
 * stands there and is no number.
 */
export function jsonReports(
  text: string,
  onUnread: (unread: Unread) => void = () => undefined,
  names: readonly string[] = [],
): readonly Report[] | null {
  const line = text.trim();
  if (!line.startsWith("{") || !line.endsWith("}")) return null;
  const value = parsed(line) ?? parsed(quotedNumberWords(line));
  if (value === undefined || value === null || typeof value !== "object") return null;
  return Object.entries(value).flatMap(([metric, found]: [string, unknown]) => {
    if (typeof found === "number") return [{ metric, value: found }];
    const word = typeof found === "string" && /^-?(NaN|Infinity)$/.test(found) ? numberOf(found) : null;
    if (word !== null) return [{ metric, value: word }];
    if (names.includes(metric))
      onUnread({ kind: "value", metric, written: JSON.stringify(found).slice(0, shownCharactersMax) });
    return [];
  });
}

/** The same behind what a log puts before it, or before what it puts behind; null unless a metric that counts is in it. */
function jsonWithin(text: string, names: readonly string[]): readonly Report[] | null {
  const from = text.indexOf("{");
  const to = text.lastIndexOf("}") + 1;
  if (from < 0 || to <= from || text.charAt(from - 1) === "=") return null;
  const found = jsonReports(text.slice(from, to));
  return found?.some(({ metric }) => names.includes(metric)) === true ? found : null;
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
