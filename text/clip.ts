/** Text from data cut to a number of terminal cells, on one line: whatever stands in it moves no cursor and breaks no table. */
import stringWidth from "string-width";

const segmenter = new Intl.Segmenter();

export function clipped(text: string, cells: number): string {
  const plain = text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .toWellFormed()
    .trim();
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
