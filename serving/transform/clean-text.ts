/** The step `clean` on one text, giving what its SQL gives; the order of its parts is fixed. */
import { decodeHtml, stripTags } from "../../data/engine/html.ts";
import type { StepOf } from "../../data/declaration/plan-step.ts";

type Change = (text: string) => string;

export function textCleaner(step: StepOf<"clean">): Change {
  const changes: Change[] = [];
  if (step.html) changes.push(withoutHtml);
  if (step.escapes === true) changes.push(unescapedPlain);
  if (step.escapes === "c") changes.push(unescapedC);
  if (step.unicode === "NFC") changes.push(nfc);
  if (step.unicode === "NFKC") changes.push((text) => text.normalize("NFKC"));
  if (step.lowercase) changes.push(lower);
  if (step.whitespace) changes.push(singleSpaced);
  const [only] = changes;
  if (only !== undefined && changes.length === 1) return only;
  return (text) => changes.reduce((changed, change) => change(changed), text);
}

function withoutHtml(text: string): string {
  const hasHtml = text.includes("&") || text.includes("<") || /#[0-9A-Za-z]+;/u.test(text);
  return hasHtml ? stripTags(decodeHtml(text)) : text;
}

function unescapedPlain(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replaceAll(/\\(["'])/gu, "$1").replaceAll(/\\+/gu, " ");
}

/** Of the private use area; stands for \\ meanwhile. */
const placeholder = "\u{E000}";

function unescapedC(text: string): string {
  return text
    .replaceAll("\\\\", placeholder)
    .replaceAll("\\n", "\n")
    .replaceAll("\\t", "\t")
    .replaceAll("\\r", "\r")
    .replaceAll('\\"', '"')
    .replaceAll("\\'", "'")
    .replaceAll(placeholder, "\\");
}

/** Scripts of Unicode 16 with letters that compose; DuckDB knows none of them. */
const newlyComposed = /([\u{11380}-\u{113ff}\u{16100}-\u{1613f}\u{16d40}-\u{16d7f}]+)/u;

function nfc(text: string): string {
  return text
    .split(newlyComposed)
    .map((part) => (newlyComposed.test(part) ? part : part.normalize("NFC")))
    .join("");
}

/** Where DuckDB's lower differs: no dot stays above an i, and letters newer than its Unicode stay as they are. */
const otherLower = /[\u0130\u1c89\ua7cb\ua7cc\ua7da\ua7dc\u{10d50}-\u{10d65}]/gu;

function lower(text: string): string {
  // It looks at one letter alone, so that a sigma is the same at the end of a word.
  const plain = text.includes("Σ") ? text.replaceAll("Σ", "σ") : text;
  if (plain.search(otherLower) === -1) return plain.toLowerCase();
  return [...plain]
    .map((letter) =>
      letter === "İ" ? "i" : letter.search(otherLower) === -1 ? letter.toLowerCase() : letter,
    )
    .join("");
}

const looseSpace = /[\t\n\v\f\r]| {2}|^ | $/u;

function singleSpaced(text: string): string {
  // eslint-disable-next-line no-control-regex -- the ASCII range is what is asked for
  if (/^[\u0000-\u007f]*$/u.test(text) && !looseSpace.test(text)) return text;
  return text.replaceAll(/[\t\n\v\f\r \p{Z}]+/gu, " ").replaceAll(/^ +| +$/gu, "");
}

/** As `trimmed` does it in SQL. */
export function trimmedText(text: string): string {
  return text.replaceAll(/^[\t\n\v\f\r \u0085\p{Z}]+|[\t\n\v\f\r \u0085\p{Z}]+$/gu, "");
}

const byteOrderMark = 0xfeff;

/** A text as training reads it from a version: what reads DuckDB's texts takes a byte-order mark at their head for none. */
export function asRead(text: string): string {
  return text.charCodeAt(0) === byteOrderMark ? text.slice(1) : text;
}
