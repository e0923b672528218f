/**
 * A number as it stands in a printed line: taken whole or not at all. Where more of it follows than a plain number has (a unit,
 * a separator of thousands, a decimal comma) there is none. What it belongs to is the caller's.
 */

export interface PrintedNumber {
  /** NaN or infinite where it says so. */
  readonly value: number;
  /** Where it ends in the line. */
  readonly end: number;
}

const plainNumber = /[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const numberWord = /[+-]?(?:nan|infinity|inf)/iy;
/** Behind a number: its end, whatever follows. The signs of Chinese and Japanese among them. */
const closing = /[;)\]}>|；。）】」]/;
/** These end it unless a digit follows, as in 1,234 and 0,5. */
const comma = /[,，、]/;
/** These end it where a sentence ends. */
const stop = /[.:!?]/;
/** Blanks that group digits: 1 234 is one number, where the blank does not break. */
const grouping = /[\u00a0\u2007\u2009\u202f]/;
const space = /\s/;
const quote = /["'`]/;
const digitNext = /[+-]?\.?\p{Nd}/uy;

/** The number that begins at `at`; null where none does, or more follows. `opening`: what stands before the name. */
export function numberAt(line: string, at: number, opening = ""): PrintedNumber | null {
  const written = matchAt(plainNumber, line, at) ?? matchAt(numberWord, line, at);
  if (written === null) return null;
  const end = at + written.length;
  const value = valueOf(written);
  return value !== null && endsAt(line, end, opening) ? { value, end } : null;
}

/** A text that is one number and nothing else; null for any other. */
export function numberOf(written: string): number | null {
  const found = numberAt(written, 0);
  return found?.end === written.length ? found.value : null;
}

const goesOn = /^[\p{L}\p{N}_%]|^[.,'’\u00a0\u2007\u2009\u202f]\p{Nd}/u;

/**
 * True where the characters from `from` to `to` are all of a number and not a part of one, as 8 is of 8.5 and -8. `to` is null where
 * it is known to end.
 */
export function isWholeNumber(line: string, from: number, to: number | null): boolean {
  return beginsAt(line, from) && (to === null || !goesOn.test(line.slice(to, to + 2)));
}

function valueOf(written: string): number | null {
  const word = /^([+-]?)(nan|inf)/i.exec(written);
  if (word === null) {
    const value = Number(written);
    // Of 1e999 nothing is left that was printed.
    return Number.isFinite(value) ? value : null;
  }
  if (word[2]?.toLowerCase() === "nan") return NaN;
  return word[1] === "-" ? -Infinity : Infinity;
}

function endsAt(line: string, end: number, opening: string): boolean {
  const next = line.charAt(end);
  if (next === "" || closing.test(next)) return true;
  if (grouping.test(next)) return matchAt(digitNext, line, end + 1) === null;
  if (space.test(next)) return true;
  if (comma.test(next)) return matchAt(digitNext, line, end + 1) === null;
  if (quote.test(next)) return next === opening;
  const after = line.charAt(end + 1);
  return stop.test(next) && (after === "" || space.test(after));
}

function beginsAt(line: string, from: number): boolean {
  const before = line.slice(Math.max(0, from - 2), from);
  if (/[\p{L}\p{N}_]$|\p{Nd}[.,'’\u00a0\u2007\u2009\u202f]$/u.test(before)) return false;
  // A sign that stands alone is the number's; one in a word, as in epoch-3, is not.
  return !/^\.$|[^\p{L}\p{N}]\.$|^[+-]$|[^\p{L}\p{N}+-][+-]$/u.test(before);
}

function matchAt(pattern: RegExp, line: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(line)?.[0] ?? null;
}
