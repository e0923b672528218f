/** One trial's command line from a sweep's words and macros. It starts nothing; a file is written through the context. */
import { isAbsolute } from "node:path";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Params } from "../../protocol/value.ts";
import { macroPattern } from "../../protocol/command-macro.ts";
import { pathOf } from "../../protocol/nested-name.ts";
import { pythonText } from "../../protocol/python-text.ts";
import { meansPython } from "./interpreter.ts";
import { jsonObject, spelled, type Spelling } from "../../protocol/spelling.ts";

/** What of a command its words are made from. */
export interface Expandable {
  readonly command: readonly string[];
  readonly program: string | null;
  readonly nested: readonly string[];
  /** Where a name lies, if its prefixes in `nested` would say something else. */
  readonly paths?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly spelling?: Spelling | undefined;
  /** In sweeps of earlier versions, in place of a spelling: what a text stands for. */
  readonly literals?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
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
  const given = givenArguments(sweep, params);
  const unset = new Set<string>();
  const inWord = (name: string): string => {
    const [kind, named = ""] = name.split(/:(.*)/s);
    if (kind === "envvar") {
      const value = context.environment[named];
      if (value === undefined) unset.add(named);
      return value ?? "";
    }
    if (kind === "parameter")
      return Object.hasOwn(params, named) ? pythonText(jsonOf(sweep, params, named)) : "";
    switch (name) {
      case "interpreter":
        return context.interpreter;
      case "program":
        return sweep.program ?? "";
      case "args_json":
        return jsonObject(given);
      case "args_json_file":
        return context.writeFile(jsonObject(given));
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
          value === "true" || value === "false"
            ? value === "true"
              ? [`--${name}`]
              : []
            : [`--${name}=${pythonText(value)}`],
        );
      default:
        return [word.replaceAll(macroPattern, (_, name: string) => inWord(name))];
    }
  });
  const [first] = unset;
  if (first === undefined) return accept(withNamedPython(words, context));
  return refuse("invalid", `the command names \${envvar:${first}}, and ${first} is not set`);
}

/** PYTHON-1: where the machine's owner names a Python, a command that begins with `python` or `python3` means that one. */
function withNamedPython(
  words: readonly string[],
  { interpreter, platform }: Pick<ExpandContext, "interpreter" | "platform">,
): readonly string[] {
  const at = platform !== "win32" && words[0] === "/usr/bin/env" ? 1 : 0;
  if (!isAbsolute(interpreter) || !meansPython(words[at] ?? "")) return words;
  return [...words.slice(0, at), interpreter, ...words.slice(at + 1)];
}

/** A sweep's own variables, with `${parameter:NAME}` and `${trial}` in them; what else looks like a macro is text. */
export function expandEnvironment(
  sweep: Expandable & { readonly environment: Readonly<Record<string, string>> },
  params: Params,
  trial: number | string,
): Record<string, string> {
  const expanded = (text: string) =>
    text.replaceAll(macroPattern, (whole, name: string) => {
      if (name === "trial") return String(trial);
      const named = name.startsWith("parameter:") ? name.slice("parameter:".length) : null;
      if (named === null || !Object.hasOwn(params, named)) return whole;
      return pythonText(jsonOf(sweep, params, named));
    });
  return Object.fromEntries(Object.entries(sweep.environment).map(([name, text]) => [name, expanded(text)]));
}

/** What the program gets by name, as JSON: nested parameters as one mapping each. */
export function givenArguments(sweep: Expandable, params: Params): readonly (readonly [string, string])[] {
  const given: Tree = new Map();
  const { nested, paths = {} } = sweep;
  for (const name of Object.keys(params)) {
    const path = Object.hasOwn(paths, name) ? paths[name] : undefined;
    put(given, path ?? pathOf(name, nested), jsonOf(sweep, params, name));
  }
  return [...given].map(([name, value]) => [name, jsonIn(value)]);
}

function jsonOf({ literals = {}, spelling = {} }: Expandable, params: Params, name: string): string {
  const value = params[name] ?? "";
  const known = Object.hasOwn(literals, name) ? literals[name] : undefined;
  if (typeof value === "string" && known !== undefined && Object.hasOwn(known, value))
    return JSON.stringify(known[value]);
  return spelled(spelling, name, value);
}

/** JSON, or what lies under a name. */
type Tree = Map<string, string | Tree>;

function put(given: Tree, [first = "", ...rest]: readonly string[], json: string): void {
  if (rest.length === 0) {
    given.set(first, json);
    return;
  }
  const found = given.get(first);
  const inner: Tree = typeof found === "object" ? found : new Map();
  put(inner, rest, json);
  given.set(first, inner);
}

function jsonIn(value: string | Tree): string {
  if (typeof value === "string") return value;
  return jsonObject([...value].map(([name, inner]) => [name, jsonIn(inner)]));
}
