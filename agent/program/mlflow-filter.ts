/**
 * MLflow's search filters over runs and logged models: comparisons joined by AND, and the orders results come in. A subject without the
 * key meets no comparison, and what is not a number meets none of numbers. It looks nothing up.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

/** What is searched: numbers and texts by the name of their kind. */
export interface Searchable {
  readonly metrics: ReadonlyMap<string, number>;
  readonly params: ReadonlyMap<string, string>;
  readonly tags: ReadonlyMap<string, string>;
  readonly attributes: ReadonlyMap<string, string | number>;
}

type Kind = keyof Searchable;
type Value = string | number;
interface Key {
  readonly kind: Kind;
  readonly name: string;
}
type Test = (value: Value | undefined) => boolean;

const kinds: Readonly<Record<string, Kind>> = {
  metrics: "metrics",
  metric: "metrics",
  params: "params",
  param: "params",
  parameters: "params",
  parameter: "params",
  tags: "tags",
  tag: "tags",
  attributes: "attributes",
  attribute: "attributes",
  attr: "attributes",
  run: "attributes",
};
/** Other names of attributes. */
const aliases: Readonly<Record<string, string>> = {
  created: "start_time",
  "Run name": "run_name",
  "run name": "run_name",
  Created: "start_time",
  run_uuid: "run_id",
};
const comparisonsMax = 20;
/** Comparing takes the product of both. */
const patternCharactersMax = 250;
const comparedCharactersMax = 500;
const word =
  /^(?:(?<kind>\w+)\s*\.\s*)?(?:`(?<ticked>[^`]*)`|"(?<quoted>[^"]*)"|(?<plain>[^\s=<>!`'"(),]+))\s*/;
const operator =
  /^(?<operator>>=|<=|!=|=|>|<|NOT\s+ILIKE\b|NOT\s+LIKE\b|ILIKE\b|LIKE\b|NOT\s+IN\b|IN\b|IS\s+NOT\s+NULL\b|IS\s+NULL\b)\s*/i;
const literal =
  /^(?:'(?<single>(?:[^']|'')*)'|"(?<double>[^"]*)"|(?<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?![\w.]))\s*/i;

/** True for what meets all comparisons. A refusal in MLflow's manner where the text is no filter. */
export function readFilter(text: string): Outcome<(subject: Searchable) => boolean> {
  const tests: ((subject: Searchable) => boolean)[] = [];
  let rest = text.trim();
  while (rest !== "") {
    if (tests.length >= comparisonsMax)
      return refuse("invalid", `a filter has at most ${comparisonsMax} comparisons`);
    const read = readComparison(rest);
    if (!read.ok) return read;
    tests.push(read.value.test);
    rest = read.value.rest;
    const and = /^AND\b\s*/i.exec(rest);
    if (rest !== "" && and === null) return wrong(rest);
    if (and !== null && (rest = rest.slice(and[0].length)) === "") return wrong(text);
  }
  return accept((subject) => tests.every((test) => test(subject)));
}

function readComparison(
  text: string,
): Outcome<{ readonly test: (subject: Searchable) => boolean; readonly rest: string }> {
  const found = word.exec(text);
  const key = found === null ? null : keyOf(found);
  if (found === null || key === null) return wrong(text);
  let rest = text.slice(found[0].length);
  const compared = operator.exec(rest);
  if (compared === null) return wrong(text);
  rest = rest.slice(compared[0].length);
  const how = (compared.groups?.["operator"] ?? "").toUpperCase().replaceAll(/\s+/g, " ");
  const of = (test: Test) => (subject: Searchable) => test(subject[key.kind].get(key.name));
  if (how === "IS NULL") return accept({ test: of((value) => value === undefined), rest });
  if (how === "IS NOT NULL") return accept({ test: of((value) => value !== undefined), rest });
  const values = how.endsWith("IN") ? readList(rest) : readOne(rest);
  if (values === null) return wrong(text);
  const test = testOf(how, values.values, key);
  return test === null ? wrong(text) : accept({ test: of(test), rest: values.rest });
}

interface Values {
  readonly values: readonly Value[];
  readonly rest: string;
}

function readOne(text: string): Values | null {
  const found = literal.exec(text);
  if (found === null) return null;
  const { double, number, single } = found.groups ?? {};
  const value = number === undefined ? (single ?? double ?? "") : Number(number);
  return { values: [value], rest: text.slice(found[0].length) };
}

function readList(text: string): Values | null {
  if (!text.startsWith("(")) return null;
  const values: Value[] = [];
  let rest = text.slice(1).trimStart();
  while (values.length < comparisonsMax) {
    const one = readOne(rest);
    if (one === null) return null;
    values.push(...one.values);
    rest = one.rest;
    if (rest.startsWith(")")) return { values, rest: rest.slice(1).trimStart() };
    if (!rest.startsWith(",")) return null;
    rest = rest.slice(1).trimStart();
  }
  return null;
}

/** Null where numbers and texts are compared in a way that means nothing. */
function testOf(how: string, values: readonly Value[], { kind, name }: Key): Test | null {
  const isNumeric = kind === "metrics" || (kind === "attributes" && numericAttributes.has(name));
  if (values.some((value) => (typeof value === "number") !== isNumeric)) return null;
  if (how === "IN") return (value) => value !== undefined && values.includes(value);
  if (how === "NOT IN") return (value) => value !== undefined && !values.includes(value);
  const [wanted] = values;
  if (typeof wanted === "number") {
    const numbers =
      (test: (has: number) => boolean): Test =>
      (value) =>
        typeof value === "number" && !Number.isNaN(value) && test(value);
    switch (how) {
      case "=":
        return numbers((has) => has === wanted);
      case "!=":
        return numbers((has) => has !== wanted);
      case ">":
        return numbers((has) => has > wanted);
      case ">=":
        return numbers((has) => has >= wanted);
      case "<":
        return numbers((has) => has < wanted);
      case "<=":
        return numbers((has) => has <= wanted);
      default:
        return null;
    }
  }
  if (how === "=") return (value) => value === wanted;
  if (how === "!=") return (value) => value !== undefined && value !== wanted;
  if (!how.endsWith("LIKE")) return null;
  if ((wanted ?? "").length > patternCharactersMax) return null;
  const isLike = likeTest(wanted ?? "", how.endsWith("ILIKE"));
  const isWanted = !how.startsWith("NOT");
  return (value) => typeof value === "string" && isLike(value) === isWanted;
}

const numericAttributes = new Set([
  "start_time",
  "end_time",
  "creation_timestamp",
  "creation_time",
  "last_updated_timestamp",
]);

/** As SQL has it: % is any text and _ any character. Without a regular expression, whose time has no bound. */
function likeTest(pattern: string, ignoresCase: boolean): (text: string) => boolean {
  const fold = (text: string) => [...(ignoresCase ? text.toLowerCase() : text)];
  const wanted = fold(pattern);
  return (text) => {
    const has = fold(text.slice(0, comparedCharactersMax));
    let [at, in_, starAt, starIn] = [0, 0, -1, 0];
    while (in_ < has.length) {
      if (at < wanted.length && wanted[at] === "%") {
        starAt = at++;
        starIn = in_;
      } else if (at < wanted.length && (wanted[at] === "_" || wanted[at] === has[in_])) {
        at++;
        in_++;
      } else if (starAt >= 0) {
        at = starAt + 1;
        in_ = ++starIn;
      } else return false;
    }
    while (wanted[at] === "%") at++;
    return at === wanted.length;
  };
}

function keyOf(found: RegExpExecArray): Key | null {
  const { kind: written, plain, quoted, ticked } = found.groups ?? {};
  const kind = written === undefined ? "attributes" : kinds[written.toLowerCase()];
  const name = ticked ?? quoted ?? plain;
  if (kind === undefined || name === undefined || name === "") return null;
  return { kind, name: kind === "attributes" ? (aliases[name] ?? name) : name };
}

/** `["metrics.loss ASC", "attributes.start_time DESC"]`; what is missing or no number comes last, in either direction. */
export function readOrder(given: readonly string[]): Outcome<(a: Searchable, b: Searchable) => number> {
  const orders: ((a: Searchable, b: Searchable) => number)[] = [];
  for (const text of given) {
    const found = word.exec(text.trim());
    const key = found === null ? null : keyOf(found);
    const rest = found === null ? "" : text.trim().slice(found[0].length).trim();
    const way = /^(?:(?<asc>ASC)|(?<desc>DESC))?$/i.exec(rest);
    if (key === null || way === null)
      return refuse("invalid", `Invalid order_by clause '${text.slice(0, shownMax)}'`);
    const sign = way.groups?.["desc"] === undefined ? 1 : -1;
    orders.push((a, b) => compare(a[key.kind].get(key.name), b[key.kind].get(key.name), sign));
  }
  return accept((a, b) => {
    for (const order of orders) {
      const found = order(a, b);
      if (found !== 0) return found;
    }
    return 0;
  });
}

function compare(a: Value | undefined, b: Value | undefined, sign: number): number {
  const isLast = (value: Value | undefined) => value === undefined || Number.isNaN(value);
  if (isLast(a) || isLast(b)) return Number(isLast(a)) - Number(isLast(b));
  if (a === b || a === undefined || b === undefined) return 0;
  return (a < b ? -1 : 1) * sign;
}

const shownMax = 200;

function wrong(text: string): Outcome<never> {
  return refuse("invalid", `Invalid clause(s) in filter string: '${text.slice(0, shownMax)}'`);
}
