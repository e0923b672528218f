/** Names of keys, from what Ink reports. One report may hold several typed characters; each is a key of its own. */
import type { Key } from "ink";

const named = [
  ["upArrow", "up"],
  ["downArrow", "down"],
  ["leftArrow", "left"],
  ["rightArrow", "right"],
  ["pageDown", "pagedown"],
  ["pageUp", "pageup"],
  ["home", "home"],
  ["end", "end"],
  ["return", "enter"],
  ["escape", "escape"],
  ["backspace", "backspace"],
  ["delete", "backspace"],
] as const satisfies readonly (readonly [keyof Key, string])[];

const typed: Readonly<Record<string, string>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\u007f": "backspace",
  "\b": "backspace",
  "\u001b": "escape",
};

/** `up`, `enter`, `ctrl+p`, `shift+tab`, or the character itself. */
export function keyNames(input: string, key: Key): readonly string[] {
  if (key.eventType === "release") return [];
  if (key.tab) return [key.shift ? "shift+tab" : "tab"];
  for (const [flag, name] of named) {
    if (key[flag] === true) return [name];
  }
  if (key.ctrl && input !== "") return [`ctrl+${input}`];
  if (key.meta) return [];
  return [...input].map((character) => typed[character] ?? character);
}
