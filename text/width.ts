/**
 * Text measured, cut and filled in terminal columns. The width of a character is Ink's own measure
 * (string-width), so that what fits here fits there.
 */
import stringWidth from "string-width";
import { printableLine } from "./printable.ts";

const printableAscii = /^[\u0020-\u007e]*$/;

/**
 * Characters that are one column each and one code unit: ASCII and what `glyph.ts` and the canvas draw with
 * (box lines, blocks, geometric shapes, braille). Measuring these by length spares most of a frame's work.
 */
export const narrow =
  /^[\u0020-\u007e\u00b7\u00d7\u2016\u2026\u2192\u2298\u2500-\u25fc\u2713\u2717\u2800-\u28ff]*$/;

export function widthOf(text: string): number {
  return narrow.test(text) ? text.length : stringWidth(text);
}

/** The text without anything that moves a cursor or hides; with `asciiOnly` every other character is a `?`. */
export function clean(text: string, asciiOnly: boolean): string {
  if (printableAscii.test(text)) return text;
  const visible = printableLine(text);
  return asciiOnly ? visible.replace(/[^\u0020-\u007e]/gu, "?") : visible;
}

/** At most `width` columns of the text, its end replaced by `ellipsis` where something was cut. */
export function clip(text: string, width: number, ellipsis: string): string {
  if (width <= 0) return "";
  if (widthOf(text) <= width) return text;
  const room = width - widthOf(ellipsis);
  if (room < 0) return ellipsis.slice(0, width);
  let out = "";
  let used = 0;
  for (const character of text) {
    const own = widthOf(character);
    if (used + own > room) break;
    out += character;
    used += own;
  }
  return out + ellipsis;
}

/** Exactly `width` columns: cut, or filled with blanks on the side away from `align`. */
export function cell(
  text: string,
  width: number,
  ellipsis: string,
  align: "left" | "right" = "left",
): string {
  const cut = clip(text, width, ellipsis);
  const missing = " ".repeat(Math.max(0, width - widthOf(cut)));
  return align === "left" ? cut + missing : missing + cut;
}

/** The text broken at blanks into lines of at most `width` columns. */
export function wrap(text: string, width: number): readonly string[] {
  if (width <= 0) return [];
  const lines: string[] = [];
  let current = "";
  for (const word of text.split(/\s+/)) {
    let rest = word;
    const joined = current === "" ? rest : `${current} ${rest}`;
    if (widthOf(joined) <= width) {
      current = joined;
      continue;
    }
    if (current !== "") lines.push(current);
    while (widthOf(rest) > width) {
      const head = clip(rest, width, "");
      lines.push(head === "" ? "?" : head);
      rest = head === "" ? "" : rest.slice(head.length);
    }
    current = rest;
  }
  if (current !== "") lines.push(current);
  return lines;
}
