/**
 * Numbers of the command line: each is read by a parser that knows its own range, and says it of any number outside. Also where
 * a word may stand instead of a number. Not what the number is for.
 */
import { InvalidArgumentError } from "commander";

export interface NumberRange {
  readonly least: number;
  readonly most: number;
  /** The least itself is outside. */
  readonly above?: boolean;
  readonly whole?: boolean;
  /** Words that may stand instead of a number. */
  readonly words?: readonly string[];
  /** The range in words, where its ends alone would mislead. */
  readonly said?: string;
}

/** A parser for commander that can be asked for its range: help, messages and tests have it from one place. */
export interface RangeParser<T> {
  (text: string): T;
  readonly range: NumberRange;
}

/** Decimal, as people write numbers: no hexadecimal, no blanks, no infinity, nothing that JavaScript alone takes for a number. */
const written = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/iu;
/** Longer than any number that anybody means. */
const numberCharactersMax = 40;

export function rangeFlag(range: NumberRange): RangeParser<number> {
  const parse = (text: string): number => {
    const value = numberOf(text);
    if (value !== null && isWithin(value, range)) return value;
    throw new InvalidArgumentError(`is ${rangeText(range, value)}`);
  };
  return Object.assign(parse, { range });
}

/** As `rangeFlag`, or one of these words. */
export function rangeOrWord<const W extends string>(
  range: NumberRange,
  ...words: readonly W[]
): RangeParser<number | W> {
  const read = rangeFlag({ ...range, words });
  const parse = (text: string): number | W => words.find((word) => word === text) ?? read(text);
  return Object.assign(parse, { range: read.range });
}

/** A whole number between these. */
export function wholeFlag(least: number, most: number = Number.MAX_SAFE_INTEGER): RangeParser<number> {
  return rangeFlag({ least, most, whole: true });
}

/** `value` as the parser of a range gives it, made into another by a rule that cannot fail. */
export function mapped<T, U>(parser: RangeParser<T>, change: (value: T) => U): RangeParser<U> {
  return Object.assign((text: string) => change(parser(text)), { range: parser.range });
}

function numberOf(text: string): number | null {
  if (text.length > numberCharactersMax || !written.test(text)) return null;
  return Number(text);
}

function isWithin(value: number, { above = false, least, most, whole = false }: NumberRange): boolean {
  if (whole && !Number.isSafeInteger(value)) return false;
  return (above ? value > least : value >= least) && value <= most;
}

function rangeText(range: NumberRange, value: number | null): string {
  const { above = false, least, most, said, whole = false, words = [] } = range;
  const isWhole = value !== null && Number.isInteger(value);
  const kind = isWhole ? "" : whole ? "a whole number, " : value === null ? "a number, " : "";
  const isOpen = most === Number.MAX_SAFE_INTEGER && (value ?? 0) <= most;
  const span = isOpen
    ? `${least} or more`
    : above
      ? `above ${least} and at most ${most}`
      : `${least} to ${most}`;
  return [`${kind}${said ?? span}`, ...words].join(", or ");
}
