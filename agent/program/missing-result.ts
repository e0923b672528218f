/**
 * Why a program that came to its end has no result, in one sentence: which objective is missing, what came in its place, and by
 * what a name that came differs from it where that is hard to see. It reads no output.
 */
import { nearestName } from "../../protocol/name.ts";
import { printableLine, quotedName, shownName } from "../../text/printable.ts";
import type { Unread } from "./metric-report.ts";

const namesShownMax = 8;
/** Of names further apart nothing is said. */
const near = 3;

export interface ReportedSoFar {
  /** The metrics that count. */
  readonly objectives: readonly string[];
  /** Of each the value that counts; null where there is none. */
  readonly kept: readonly (number | null)[];
  /** Every metric that was reported. */
  readonly names: readonly string[];
  readonly unread: UnreadNotes;
}

/** The last of each kind of what could not be taken. */
export class UnreadNotes {
  readonly #values = new Map<string, string>();
  #line: Extract<Unread, { kind: "line" }> | null = null;
  #silent: string | null = null;

  hear(unread: Unread): void {
    if (unread.kind === "line") this.#line = unread;
    else if (unread.kind === "silent") this.#silent = unread.why;
    else this.#values.set(unread.metric, unread.written);
  }

  /** What stood in the place of a number of this metric; null where nothing did. */
  valueOf(metric: string): string | null {
    return this.#values.get(metric) ?? null;
  }

  /** Said of what was not told, and of a line that was too long; empty where there was neither. */
  get beside(): string {
    const silent = this.#silent === null ? "" : `; ${this.#silent}`;
    if (this.#line === null) return silent;
    const { characters, read } = this.#line;
    return `${silent}; it printed a line of ${figure(characters)} characters, of which ${figure(read)} are read`;
  }
}

/** Null where every objective has a finite value. */
export function missingResult({ kept, names, objectives, unread }: ReportedSoFar): string | null {
  const index = kept.findIndex((value) => value === null || !Number.isFinite(value));
  const metric = objectives[index];
  if (metric === undefined) return null;
  const value = kept[index];
  if (value !== null && value !== undefined) return `its ${shownName(metric)} is ${value}`;
  const written = unread.valueOf(metric);
  if (written !== null)
    return written.trim() === ""
      ? `it printed ${shownName(metric)} with no value behind it`
      : `what it printed as ${shownName(metric)} is no plain number: ${shownName(written)}`;
  if (names.length === 0) return `it reported nothing; print a line such as ${metric}=0.5${unread.beside}`;
  return `${otherNames(metric, names)}${unread.beside}`;
}

function otherNames(metric: string, names: readonly string[]): string {
  for (const name of names) {
    const difference = hiddenDifference(name, metric);
    if (difference !== null)
      return `it reported ${quotedName(name)}, which differs from its objective ${quotedName(metric)} ${difference}; give both the same name`;
  }
  const shown = names.slice(0, namesShownMax).map(shownName).join(", ");
  const rest = names.length > namesShownMax ? ` and ${names.length - namesShownMax} more` : "";
  const nearest = nearestName(metric, names.slice(0, namesShownMax));
  const slip =
    nearest !== null && isSlip(nearest, metric)
      ? `; did you mean ${quotedName(nearest)} by its objective?`
      : "";
  return `it reported no ${shownName(metric)}, only ${shown}${rest}${slip}`;
}

function isSlip(name: string, metric: string): boolean {
  return Math.abs(name.length - metric.length) < near && metric.length > near;
}

/** What a reader overlooks, in the order in which it is the better explanation; null where the names plainly differ. */
const foldings: readonly { readonly fold: (name: string) => string; readonly difference: string }[] = [
  { fold: (name) => name.trimEnd(), difference: "by a space at its end" },
  { fold: (name) => name.trim(), difference: "by spaces around it" },
  { fold: (name) => printableLine(name), difference: "by characters that cannot be seen" },
  { fold: (name) => name.normalize("NFC"), difference: "in how its accents are written" },
  { fold: (name) => name.normalize("NFKC"), difference: "in characters that look alike" },
  { fold: (name) => name.toLowerCase(), difference: "in upper and lower case" },
  { fold: (name) => name.replaceAll(/[\s\p{P}\p{S}]/gu, ""), difference: "in its signs and spaces" },
  {
    fold: (name) => printableLine(name.normalize("NFKC").toLowerCase()).replaceAll(/[\s\p{P}\p{S}]/gu, ""),
    difference: "in its letters' case, its signs and spaces",
  },
];

function hiddenDifference(name: string, metric: string): string | null {
  const found = foldings.find(({ fold }) => fold(name) === fold(metric) && fold(name) !== "");
  return found?.difference ?? lookalike(name, metric);
}

/** Letters of another script that look like these: where nothing but such letters differ, each is told by its number. */
function lookalike(name: string, metric: string): string | null {
  const [given, wanted] = [[...name], [...metric]];
  if (given.length !== wanted.length) return null;
  const differ = given.flatMap((character, index) => (character === wanted[index] ? [] : [index]));
  // oxlint-disable-next-line no-control-regex
  const isForeign = (index: number) =>
    /^[\0-\x7f]*$/.test(given[index] ?? "") !== /^[\0-\x7f]*$/.test(wanted[index] ?? "");
  const [first] = differ;
  if (first === undefined || !differ.every(isForeign)) return null;
  return `in character ${first + 1}: ${codeOf(given[first])} and not ${codeOf(wanted[first])}`;
}

function codeOf(character = ""): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

function figure(count: number): string {
  return count.toLocaleString("en-US");
}
