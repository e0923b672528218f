/**
 * One condition on a row of a list, such as `lr>0.001`, `"eval/score t" <= 2` or `state=completed`: the one place where it is read, for
 * the command line and the terminal interface. What its name means in which list is in `row-field.ts`.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

const operators = [">=", "<=", "!=", "!~", "==", ">", "<", "=", "~"] as const;
type Written = (typeof operators)[number];
/** `~`: has this text in it. */
export type Operator = Exclude<Written, "==">;

export interface RowCondition {
  readonly name: string;
  readonly operator: Operator;
  readonly value: string;
  /** The value stood in quotes: it is a text, whatever it looks like. */
  readonly isText: boolean;
  /** As it was given. */
  readonly written: string;
}

/** Of what a command line or a filter holds. */
const conditionCharactersMax = 1_000;

const typeset: Readonly<Record<string, Written>> = { "≥": ">=", "≤": "<=", "≠": "!=" };
const form = "NAME, one of > >= < <= = != ~ !~, and a VALUE";

export function readRowCondition(written: string): Outcome<RowCondition> {
  const given = written.trim();
  const fault = faultOf(given);
  if (fault !== null) return fault;
  const name = readWord(given, 0);
  if (!name.ok) return name;
  const operator = operatorAt(given, name.value.end);
  if (operator === null) return noOperator(name.value.text);
  if (name.value.text === "")
    return refuse("invalid", `it has no name before ${operator.text}; a condition is ${form}`);
  const value = readValue(given.slice(operator.end).trim());
  if (!value.ok) return value;
  const { text } = operator;
  return accept({
    name: name.value.text,
    operator: text === "==" ? "=" : text,
    ...value.value,
    written: given,
  });
}

/** `NAME` upwards, `-NAME` downwards; a name that begins with a minus stands in quotes. */
export interface SortKey {
  readonly name: string;
  readonly descending: boolean;
}

export function readSortKey(written: string): Outcome<SortKey> {
  const given = written.trim();
  const fault = faultOf(given);
  if (fault !== null) return fault;
  const descending = given.startsWith("-");
  const rest = descending || given.startsWith("+") ? given.slice(1).trim() : given;
  const quoted = startsQuoted(rest) ? readQuoted(rest, 0) : null;
  if (quoted !== null && !quoted.ok) return quoted;
  const name = quoted === null ? rest : quoted.value.text;
  if (name === "" || (quoted !== null && rest.slice(quoted.value.end).trim() !== ""))
    return refuse("invalid", "it is no name to sort by; write lr, or -lr for the largest first");
  return accept({ name, descending });
}

function faultOf(given: string): Outcome<never> | null {
  if (given.length > conditionCharactersMax)
    return refuse("invalid", `it is longer than ${conditionCharactersMax} characters`);
  return given.includes("\0") ? refuse("invalid", "it holds a NUL, which no name and no value has") : null;
}

interface Word {
  readonly text: string;
  /** Where it ends. */
  readonly end: number;
}

const quotes: ReadonlySet<string> = new Set(['"', "'", "`"]);
function startsQuoted(text: string): boolean {
  return quotes.has(text[0] ?? "");
}

/** The name: in quotes, or up to the operator. */
function readWord(given: string, from: number): Outcome<Word> {
  if (startsQuoted(given)) return readQuoted(given, from);
  for (let at = from; at < given.length; at++)
    if (operatorAt(given, at) !== null) return accept({ text: given.slice(from, at).trim(), end: at });
  return accept({ text: given, end: given.length });
}

/** A backslash before a quote or another backslash takes that as it is. */
function readQuoted(given: string, from: number): Outcome<Word> {
  const quote = given[from] ?? "";
  let text = "";
  for (let at = from + 1; at < given.length; at++) {
    const letter = given[at] ?? "";
    const next = given[at + 1] ?? "";
    if (letter === quote) return accept({ text, end: at + 1 });
    if (letter === "\\" && (next === quote || next === "\\")) {
      text += next;
      at++;
    } else text += letter;
  }
  return refuse("invalid", `it opens a quote (${quote}) and does not close it`);
}

function operatorAt(given: string, from: number): { readonly text: Written; readonly end: number } | null {
  let at = from;
  while (/\s/u.test(given[at] ?? "")) at++;
  const sign = typeset[given[at] ?? ""];
  if (sign !== undefined) return { text: sign, end: at + 1 };
  const text = operators.find((operator) => given.startsWith(operator, at));
  return text === undefined ? null : { text, end: at + text.length };
}

function readValue(rest: string): Outcome<Pick<RowCondition, "value" | "isText">> {
  if (rest === "") return refuse("invalid", 'it has no value; an empty one is written ""');
  if (!startsQuoted(rest)) return accept({ value: rest, isText: false });
  const quoted = readQuoted(rest, 0);
  if (!quoted.ok) return quoted;
  if (rest.slice(quoted.value.end).trim() !== "")
    return refuse("invalid", "it goes on after its value; each condition is given for itself");
  return accept({ value: quoted.value.text, isText: true });
}

/** A shell takes `>` and `<` for itself where nothing quotes them, and the name is all that is left. */
function noOperator(name: string): Outcome<never> {
  const example = name === "" ? "lr>0.001" : `${name}>0.001`;
  return refuse(
    "invalid",
    `it compares nothing; a condition is ${form}, in quotes for the shell: '${example}'`,
  );
}
