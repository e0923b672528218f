/**
 * `name=value` anywhere in a line, as Katib reads it by default, with letters of every script and `.`, `/`, `@` and the like in names.
 * Names that are known beforehand are found as they are written, whatever characters they have. Takes time in proportion to the
 * line. JSON lines and patterns of others are not read here.
 */
import { numberAt } from "./printed-number.ts";
import type { Report, UnreadValue } from "./metric-report.ts";

/** Also what a name could be part of: a known name behind one of these is the end of another. A cut line ends in an ellipsis. */
const nameCharacter = /[\p{L}\p{M}\p{N}\p{Cf}\p{Cs}_|./@%+…-]/u;
const space = /\s/;
/** What stands in the place of a number: with a separator where digits follow it. */
const wordAhead = /[^\s,;)\]}]+(?:[,\u00a0\u2007\u2009\u202f]\d[^\s,;)\]}]*)*/y;
/** A name of nothing else is none that could be found. */
const blank = /^[\s|]*$/;
const wordCharactersMax = 60;

interface Found {
  readonly name: string;
  /** Where it begins. */
  readonly begin: number;
}

export interface NamedNumbers {
  readonly reports: readonly Report[];
  /** Of the known names alone: what stands in the place of a number. */
  readonly unread: readonly UnreadValue[];
}

export function namedNumbers(line: string, known: readonly string[] = []): NamedNumbers {
  const reports: Report[] = [];
  const unread: UnreadValue[] = [];
  const byEnd = knownNames(line, known);
  let from = 0;
  for (let at = line.indexOf("="); at >= 0; at = line.indexOf("=", at + 1)) {
    const literal = byEnd.get(at);
    // What was passed over as a value that is no number holds no names, unless they are known.
    if (literal === undefined && at < from) continue;
    const found = literal ?? nameBefore(line, at, from);
    const value = firstBeyond(line, at + 1);
    if (found.name === "") continue;
    const number = numberAt(line, value, line.charAt(found.begin - 1));
    if (number === null) {
      const written = wordAt(line, value);
      from = value + written.length;
      if (literal !== undefined) unread.push({ kind: "value", metric: found.name, written: shown(written) });
    } else {
      from = number.end;
      reports.push({ metric: found.name, value: number.value });
    }
  }
  return { reports, unread };
}

/** Where known names stand before a `=`, by its place: of several that end there the longest. */
function knownNames(line: string, known: readonly string[]): ReadonlyMap<number, Found> {
  const found = new Map<number, Found>();
  for (const name of known) {
    if (blank.test(name)) continue;
    for (let begin = line.indexOf(name); begin >= 0; begin = line.indexOf(name, begin + 1)) {
      const at = firstBeyond(line, begin + name.length);
      if (line.charAt(at) !== "=" || !beginsName(line, begin)) continue;
      if ((found.get(at)?.name.length ?? 0) < name.length) found.set(at, { name, begin });
    }
  }
  return found;
}

/** Nothing before it makes it the end of a longer name. A bar before it is the frame of a table. */
function beginsName(line: string, begin: number): boolean {
  let at = begin;
  while (line.charAt(at - 1) === "|") at--;
  return at === 0 || !nameCharacter.test(line.charAt(at - 1));
}

function nameBefore(line: string, at: number, from: number): Found {
  let end = at;
  while (end > from && space.test(line.charAt(end - 1))) end--;
  let begin = end;
  while (begin > from && nameCharacter.test(line.charAt(begin - 1))) begin--;
  while (begin < end && line.charAt(begin) === "|") begin++;
  return { name: line.slice(begin, end), begin };
}

function firstBeyond(line: string, from: number): number {
  let at = from;
  while (at < line.length && space.test(line.charAt(at))) at++;
  return at;
}

function wordAt(line: string, at: number): string {
  wordAhead.lastIndex = at;
  return wordAhead.exec(line)?.[0] ?? "";
}

function shown(written: string): string {
  return written.length > wordCharactersMax ? `${written.slice(0, wordCharactersMax)}…` : written;
}
