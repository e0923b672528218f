/**
 * What a screen is made of: lines of spans, each a piece of text with a tone. Screens are plain functions
 * that return lines; only `app.tsx` knows Ink. Tones carry no information of their own: words and glyphs do.
 */
import { clean, clip, widthOf } from "./width.ts";

export type Tone = "plain" | "dim" | "strong" | "good" | "warn" | "bad" | "accent" | "title" | "select";

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}
export type Line = readonly Span[];

export function span(text: string, tone: Tone = "plain"): Span {
  return { text, tone };
}

/** One line of one or several pieces; a bare string is plain. */
export function line(...pieces: readonly (Span | string)[]): Line {
  return pieces.map((piece) => (typeof piece === "string" ? span(piece) : piece));
}

export const blank: Line = [];

export function lineWidth(of: Line): number {
  return of.reduce((sum, each) => sum + widthOf(each.text), 0);
}

/** The line cut to at most `width` columns; what is cut off is marked by `ellipsis`. */
export function clipLine(of: Line, width: number, ellipsis: string): Line {
  if (lineWidth(of) <= width) return of;
  const kept: Span[] = [];
  let left = width;
  for (const [index, each] of of.entries()) {
    const own = widthOf(each.text);
    const rest = of.slice(index + 1).some((later) => later.text !== "");
    if (own < left || (own === left && !rest)) {
      kept.push(each);
      left -= own;
      continue;
    }
    if (left > 0)
      kept.push(span(clip(`${each.text}${rest ? " ".repeat(left + 1) : ""}`, left, ellipsis), each.tone));
    break;
  }
  return kept;
}

/** The line cut or filled with blanks to exactly `width` columns. */
export function padLine(of: Line, width: number, ellipsis: string): Line {
  const cut = clipLine(of, width, ellipsis);
  const missing = width - lineWidth(cut);
  return missing > 0 ? [...cut, span(" ".repeat(missing))] : cut;
}

/** The whole line in one tone: how a selected row or a frozen screen is drawn. */
export function toned(of: Line, tone: Tone): Line {
  return of.map((each) => (each.text.trim() === "" && tone !== "select" ? each : { text: each.text, tone }));
}

/** Ready to print: no control characters, blanks at the end gone, neighbours of one tone joined. */
export function finishLine(of: Line, width: number, ellipsis: string, asciiOnly: boolean): Line {
  const joined: { text: string; tone: Tone }[] = [];
  for (const each of of) {
    if (each.text === "") continue;
    const last = joined.at(-1);
    if (last !== undefined && last.tone === each.tone) last.text += each.text;
    else joined.push({ text: each.text, tone: each.tone });
  }
  const cut = clipLine(
    joined.map((each) => span(clean(each.text, asciiOnly), each.tone)),
    width,
    ellipsis,
  );
  const last = cut.at(-1);
  if (last === undefined || last.tone === "select") return cut;
  const trimmed = last.text.trimEnd();
  return trimmed === "" ? cut.slice(0, -1) : [...cut.slice(0, -1), span(trimmed, last.tone)];
}

export function sameLine(a: Line, b: Line): boolean {
  return (
    a.length === b.length &&
    a.every((each, index) => each.text === b[index]?.text && each.tone === b[index].tone)
  );
}
