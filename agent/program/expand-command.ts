/** One trial's command line from a sweep's words and macros. It starts nothing; a file is written through the context. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Params } from "../../protocol/value.ts";
import { macroPattern } from "../../protocol/command-macro.ts";
import { pythonText } from "../../protocol/python-text.ts";

/** What of a command its words are made from. */
export interface Expandable {
  readonly command: readonly string[];
  readonly program: string | null;
  readonly nested: readonly string[];
  readonly literals: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface ExpandContext {
  /** What `${trial}` stands for. */
  readonly trial: number | string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What `${interpreter}` stands for. */
  readonly interpreter: string;
  readonly platform: NodeJS.Platform;
  /** Puts a text into a file for the trial; its path. */
  readonly writeFile: (text: string) => string;
}

/** A refusal where a word names a variable of the environment that is not set. */
export function expandCommand(
  sweep: Expandable,
  params: Params,
  context: ExpandContext,
): Outcome<readonly string[]> {
  const given = argumentsOf(sweep, params);
  const unset = new Set<string>();
  const inWord = (name: string): string => {
    const [kind, named = ""] = name.split(/:(.*)/s);
    if (kind === "envvar") {
      const value = context.environment[named];
      if (value === undefined) unset.add(named);
      return value ?? "";
    }
    if (kind === "parameter") return pythonText(params[named] ?? "");
    switch (name) {
      case "interpreter":
        return context.interpreter;
      case "program":
        return sweep.program ?? "";
      case "args_json":
        return JSON.stringify(Object.fromEntries(given));
      case "args_json_file":
        return context.writeFile(JSON.stringify(Object.fromEntries(given)));
      case "trial":
        return String(context.trial);
      case "env":
        return "/usr/bin/env";
      default:
        // A shell's, where the words came from a file of which not all that looks like a macro is one.
        return `\${${name}}`;
    }
  };
  const words = sweep.command.flatMap((word): readonly string[] => {
    switch (word) {
      case "${env}":
        return context.platform === "win32" ? [] : ["/usr/bin/env"];
      case "${args}":
        return given.map(([name, value]) => `--${name}=${pythonText(value)}`);
      case "${args_no_hyphens}":
        return given.map(([name, value]) => `${name}=${pythonText(value)}`);
      case "${args_no_equals}":
        return given.flatMap(([name, value]) => [`--${name}`, pythonText(value)]);
      case "${args_no_boolean_flags}":
        return given.flatMap(([name, value]) =>
          typeof value === "boolean" ? (value ? [`--${name}`] : []) : [`--${name}=${pythonText(value)}`],
        );
      default:
        return [word.replaceAll(macroPattern, (_, name: string) => inWord(name))];
    }
  });
  const [first] = unset;
  if (first === undefined) return accept(words);
  return refuse("invalid", `the command names \${envvar:${first}}, and ${first} is not set`);
}

/** A sweep's own variables, with `${parameter:NAME}` and `${trial}` in them; what else looks like a macro is text. */
export function expandEnvironment(
  environment: Readonly<Record<string, string>>,
  params: Params,
  trial: number | string,
): Record<string, string> {
  const expanded = (text: string) =>
    text.replaceAll(macroPattern, (whole, name: string) => {
      if (name === "trial") return String(trial);
      const value = name.startsWith("parameter:") ? params[name.slice("parameter:".length)] : undefined;
      return value === undefined ? whole : pythonText(value);
    });
  return Object.fromEntries(Object.entries(environment).map(([name, text]) => [name, expanded(text)]));
}

/** What the script gets by name: nested parameters as one mapping each, and literals as what they stand for. */
function argumentsOf(
  { literals, nested }: Pick<Expandable, "nested" | "literals">,
  params: Params,
): readonly (readonly [string, unknown])[] {
  const given = new Map<string, unknown>();
  for (const [name, value] of Object.entries(params)) {
    const known = literals[name] ?? {};
    // Not by `??`: null is a literal too.
    const meant: unknown = typeof value === "string" && Object.hasOwn(known, value) ? known[value] : value;
    put(given, pathOf(name, nested), meant);
  }
  return [...given];
}

function put(given: Map<string, unknown>, [first = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    given.set(first, value);
    return;
  }
  const found = given.get(first);
  const inner = new Map<string, unknown>(
    found !== null && typeof found === "object" ? Object.entries(found) : [],
  );
  put(inner, rest, value);
  given.set(first, Object.fromEntries(inner));
}

/** The longest chain of nested prefixes a name begins with, then the rest of it. */
function pathOf(name: string, nested: readonly string[]): readonly string[] {
  const prefix = nested
    .filter((candidate) => name.startsWith(`${candidate}.`))
    .toSorted((a, b) => a.length - b.length);
  const path: string[] = [];
  let before = "";
  for (const candidate of prefix) {
    path.push(candidate.slice(before.length));
    before = `${candidate}.`;
  }
  return [...path, name.slice(before.length)];
}
