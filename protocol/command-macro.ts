/**
 * The macros a command may hold: W&B's, `${parameter:NAME}` for one value within a word, and `${trial}`. Which there are
 * and where they may stand; what they become is `expand-command.ts`.
 */
import { suggestion } from "./name.ts";

/** These become as many words as there are parameters, so they stand alone. */
export const listMacros = ["args", "args_no_hyphens", "args_no_boolean_flags", "args_no_equals"] as const;
export const wordMacros = ["env", "interpreter", "program", "args_json", "args_json_file", "trial"] as const;
/** These name something after a colon. */
export const namingMacros = ["envvar", "parameter"] as const;

export const macroPattern = /\$\{([^}]*)\}/g;

/** Of a command that answers with a registered model: the port where it is to listen, on 127.0.0.1. */
export const portMacro = "${port}";

const lists: readonly string[] = listMacros;
const known: readonly string[] = [...listMacros, ...wordMacros, "envvar:NAME", "parameter:NAME"];

/** Whether `${name}` is one. */
export function isMacro(name: string): boolean {
  const kind = name.split(":")[0] ?? "";
  return known.includes(name) || (name.includes(":") && namingMacros.some((macro) => macro === kind));
}

/** Tells every macro that does not exist or stands where it cannot; `index` is that of the word. */
export function checkMacros(words: readonly string[], tell: (index: number, message: string) => void): void {
  for (const [index, word] of words.entries()) {
    for (const [whole, name = ""] of word.matchAll(macroPattern)) {
      const [kind = "", named] = name.split(/:(.*)/s);
      if (namingMacros.some((macro) => macro === kind)) {
        if (named === undefined || named === "")
          tell(index, `${whole} names nothing; write \${${kind}:NAME}`);
      } else if (!known.includes(name)) tell(index, `there is no macro ${whole}, ${suggestion(name, known)}`);
      else if (lists.includes(name) && word !== whole)
        tell(index, `${whole} becomes several words and must stand alone, not in "${word}"`);
    }
  }
}

/** The parameters that words name by `${parameter:NAME}`. */
export function parametersIn(words: readonly string[]): string[] {
  return words.flatMap((word) =>
    [...word.matchAll(macroPattern)].flatMap(([, name = ""]) =>
      name.startsWith("parameter:") ? [name.slice("parameter:".length)] : [],
    ),
  );
}
