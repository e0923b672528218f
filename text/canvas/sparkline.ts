/** A line of the last values, one column each, the newest at the right. */
import type { Glyphs } from "../glyph.ts";

/** At most `width` columns. Values outside `low..high` are drawn at the edge; null is a blank. */
export function sparkline(
  values: readonly (number | null)[],
  width: number,
  low: number,
  high: number,
  glyphs: Glyphs,
): string {
  if (width <= 0) return "";
  const top = glyphs.spark.length - 1;
  return values
    .slice(-width)
    .map((each) => {
      if (each === null || !Number.isFinite(each)) return " ";
      const share = high > low ? (each - low) / (high - low) : 0;
      return glyphs.spark[Math.round(Math.min(1, Math.max(0, share)) * top)] ?? " ";
    })
    .join("");
}
