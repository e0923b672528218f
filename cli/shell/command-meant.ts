/**
 * What somebody means who calls a command as other programs do, or says the right words in another order. It knows no slips
 * of the hand: those are `protocol/name.ts`.
 */
import type { Command } from "commander";

/** A pasted line may be of any length. */
const wordCharactersMax = 64;

/** Words that other programs have for the same. */
const sameWords: readonly (readonly string[])[] = [
  ["ls", "list"],
  ["show", "describe", "info", "get", "view", "inspect", "status", "list", "ls"],
  ["rm", "remove", "delete", "del"],
  ["logs", "log", "tail"],
  ["stop", "kill", "cancel", "abort", "terminate"],
  ["run", "start", "submit", "launch", "create"],
  ["up", "start", "serve"],
  ["down", "stop", "shutdown"],
  ["add", "register", "import", "create"],
  ["why", "explain"],
  ["resume", "continue", "unpause"],
  ["watch", "follow"],
  ["grant", "give"],
  ["restore", "undelete", "recover"],
  ["tag", "label"],
  ["note", "annotate", "comment", "description"],
  ["diff", "compare"],
];

/** The words to write behind `trialmesh` or its group, for `word`, which is none of `command`'s; null where nobody can say. */
export function commandMeant(word: string, command: Command, root: Command): string | null {
  if (word.length > wordCharactersMax) return null;
  return inOrder(word, command, root) ?? elsewhere(word, command, root) ?? sameWord(word, command);
}

/** Where the list is that a group has none of. */
function elsewhere(word: string, command: Command, root: Command): string | null {
  const isList = word.toLowerCase() === "ls" || word.toLowerCase() === "list";
  return isList && command.name() === "trial" ? `${root.name()} sweep show SWEEP` : null;
}

/** The command as it is typed, from `trialmesh` on. */
export function pathOf(command: Command, root: Command): string {
  return command === root || command.parent === null
    ? root.name()
    : `${pathOf(command.parent, root)} ${command.name()}`;
}

/** `show sweep s1` and `sweep s1 show` are `sweep show s1`. */
function inOrder(word: string, command: Command, root: Command): string | null {
  const [, second, ...others] = command.args;
  const next = second === undefined ? null : childOf(command, second);
  if (next === null || (next.commands.length > 0 && childOf(next, word) === null)) return null;
  const words = [pathOf(next, root), word, ...others].join(" ");
  return words.length > wordCharactersMax ? `${pathOf(next, root)} ${word}` : words;
}

function sameWord(word: string, command: Command): string | null {
  const meant = word.toLowerCase();
  for (const words of sameWords) {
    const known = words.includes(meant) ? words.find((one) => childOf(command, one) !== null) : undefined;
    if (known !== undefined) return known;
  }
  return null;
}

function childOf(command: Command, name: string): Command | null {
  return command.commands.find((child) => child.name() === name) ?? null;
}
