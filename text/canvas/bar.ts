/** A horizontal bar of how much of a whole is there. A bar only looks full when it is. */
import type { Glyphs } from "../glyph.ts";

/** `width` columns of bar for `part` of `whole`; nothing known (`whole` 0 or less) is an empty bar. */
export function bar(part: number, whole: number, width: number, glyphs: Glyphs): string {
  if (width <= 0) return "";
  const share = whole <= 0 ? 0 : Math.min(1, Math.max(0, part / whole));
  const steps = glyphs.barPart.length;
  const filled = Math.floor(share * width * steps + 1e-9);
  const full = Math.floor(filled / steps);
  const part8 = filled % steps;
  const last = full < width ? (glyphs.barPart[part8] ?? glyphs.barEmpty) : "";
  return glyphs.barFull.repeat(full) + last + glyphs.barEmpty.repeat(Math.max(0, width - full - 1));
}
