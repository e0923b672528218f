/**
 * Text from others made fit for a terminal: nothing in it moves a cursor, sets a title or a clipboard, hides, or turns the
 * direction of writing. What is to be styled is styled after this.
 */

/**
 * Escape sequences that are complete, in 7 and 8 bits: CSI; OSC, DCS and other strings up to their end; the short ones. They
 * go as a whole, so that a coloured line reads as it was meant. Each part stops where another could begin, so that a long
 * text takes no longer than its length.
 */
const sequence =
  // oxlint-disable-next-line no-control-regex
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\n\u0007\u001b\u0080-\u009f]*(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]*[0-~]/g;

/**
 * Controls, separators of lines and paragraphs, and what is invisible: marks of direction, zero-width characters, tags,
 * fillers. Selectors of variants, which emoji are written with, stay.
 */
const unprintable =
  /[[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]--\p{Variation_Selector}]/gv;
const unprintableInLines =
  /[[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]--[\n\p{Variation_Selector}]]/gv;

/** Without a control character but newlines; a tab is a blank. */
export function printableLines(text: string): string {
  return bare(text).replace(unprintableInLines, "").toWellFormed();
}

/** The same on one line: what breaks it is `instead`, and so is whatever else may not be printed. */
export function printableLine(text: string, instead = ""): string {
  return bare(text)
    .replaceAll(/[\n\r]+/g, " ")
    .replace(unprintable, instead)
    .toWellFormed();
}

/** Without the sequences that colour it, and whatever else a terminal takes as a whole. */
export function withoutSequences(text: string): string {
  return text.replace(sequence, "");
}

function bare(text: string): string {
  return withoutSequences(text).replaceAll("\t", " ");
}

/** A JSON document in which such characters are written as escapes: it means what it meant. */
export function jsonText(value: unknown): string {
  return escaped(JSON.stringify(value, null, 2), unprintableInLines);
}

/** As `jsonText`, on one line: one of many documents. `replacer`: as `JSON.stringify` takes it. */
export function jsonLine(value: unknown, replacer?: (key: string, value: unknown) => unknown): string {
  return escaped(JSON.stringify(value, replacer), unprintable);
}

function escaped(json: string, what: RegExp): string {
  return json.replace(what, (found) =>
    Array.from(
      { length: found.length },
      (_, index) => `\\u${found.charCodeAt(index).toString(16).padStart(4, "0")}`,
    ).join(""),
  );
}

/** What looks like nothing, or like a plain blank, and is not. */
const unseen =
  /[[\p{Cc}\p{Zs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]--[ \p{Variation_Selector}]]/gv;
const lone = /\p{Surrogate}/gu;
const hiding = /^[" ]| $| {2}/;

/** A name as it can be told from any other: in quotes, with escapes, where something in it cannot be seen. */
export function shownName(name: string): string {
  return name !== "" && !hiding.test(name) && name.search(unseen) < 0 && name.search(lone) < 0
    ? name
    : quotedName(name);
}

/** The same in quotes, whatever is in it. */
export function quotedName(name: string): string {
  return escaped(JSON.stringify(name), unseen);
}
