/** An account as one bar: what is posted, what is pending, what is left. A sliver of either still shows. */
import type { Glyphs } from "../glyph.ts";

export interface Held {
  readonly granted: number;
  readonly posted: number;
  readonly pending: number;
}

export function accountBar({ granted, pending, posted }: Held, width: number, glyphs: Glyphs): string {
  if (width <= 0) return "";
  const whole = Math.max(granted, posted + pending);
  const cells = (part: number) =>
    whole <= 0 || part <= 0 ? 0 : Math.max(1, Math.round((part / whole) * width));
  const used = Math.min(width, cells(posted));
  const held = Math.min(width - used, cells(pending));
  return (
    glyphs.barFull.repeat(used) + glyphs.barHeld.repeat(held) + glyphs.barEmpty.repeat(width - used - held)
  );
}
