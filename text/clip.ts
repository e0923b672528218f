/** Text from data cut to a number of terminal cells, on one line: whatever stands in it moves no cursor and breaks no table. */
import stringWidth from "string-width";
import { printableLine } from "./printable.ts";

const segmenter = new Intl.Segmenter();

export function clipped(text: string, cells: number): string {
  const plain = printableLine(text, " ").trim();
  if (stringWidth(plain) <= cells) return plain;
  let kept = "";
  let width = 0;
  for (const { segment } of segmenter.segment(plain)) {
    width += stringWidth(segment);
    if (width > cells - 3) break;
    kept += segment;
  }
  return `${kept}...`;
}
