/**
 * Signs that a text was decoded wrongly or damaged: U+FFFD, UTF-8 read as Windows-1252 or ISO-8859-1 ("Ã©" for "é"),
 * control characters, half of a surrogate pair. It names what it sees and mends nothing.
 */
import type { UnicodeKind } from "./profile.ts";

/** What Windows-1252 makes of the bytes 80 to 9F, and ISO-8859-1 of 80 to BF: the second and later bytes in UTF-8. */
const tail = "[\\u0080-\\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]";
/**
 * One sequence is enough after the leads that European text makes all the time (Ã, Â, â€, ï»¿, ðŸ); of Greek and Cyrillic leads
 * two in a row, since "Î»" alone may be meant.
 */
const mojibake = new RegExp(`[ÃÂ]${tail}|â€${tail}|ï»¿|ï¿½|ðŸ${tail}{2}|(?:[Î-Ñ×Ø]${tail}){2}`, "gu");
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/u;
// oxlint-disable-next-line no-control-regex
const printableAscii = /^[\t\n\r\u0020-\u007e]*$/u;

export function brokenUnicode(text: string): readonly UnicodeKind[] {
  if (printableAscii.test(text)) return [];
  const found: UnicodeKind[] = [];
  if (text.includes("\ufffd")) found.push("replacement");
  // The bytes 80 to 9F, read as ISO-8859-1, are control characters: part of the same fault.
  const rest = text.replaceAll(mojibake, "");
  if (rest !== text) found.push("mojibake");
  if (control.test(rest)) found.push("control");
  if (!text.isWellFormed()) found.push("surrogate");
  return found;
}
