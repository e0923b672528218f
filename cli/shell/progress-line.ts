/**
 * One line on standard error that says how far something is and is written over by the next; only where a terminal shows it.
 * Nothing of it stays.
 */
import { plural } from "../../protocol/plural.ts";
import { bar } from "../../text/canvas/bar.ts";
import { exactPercent } from "../../text/figure.ts";
import type { Glyphs } from "../../text/glyph.ts";

export interface ProgressLine {
  /** `bytes` of `of` are done with; `of` is null where that is not known. */
  show(rows: number, bytes: number, of: number | null): void;
  clear(): void;
}

const everyMs = 200;
const barWidth = 30;
const eraseLine = "\r\u001b[2K";

/** `now`: ms. `write`: to the terminal. */
export function progressLine(
  write: ((text: string) => void) | null,
  now: () => number,
  glyphs: Glyphs,
): ProgressLine {
  const begun = now();
  let shownAt = begun;
  let isThere = false;
  return {
    show: (rows, bytes, of) => {
      const at = now();
      if (write === null || at - shownAt < everyMs) return;
      shownAt = at;
      isThere = true;
      write(
        `${eraseLine}${progressText(rows, of === null ? null : bytes / Math.max(1, of), at - begun, glyphs)}`,
      );
    },
    clear: () => {
      if (isThere) write?.(eraseLine);
      isThere = false;
    },
  };
}

/** `share`: of the whole, null where that is not known. */
export function progressText(rows: number, share: number | null, ms: number, glyphs: Glyphs): string {
  const rate = ms <= 0 ? 0 : Math.round((rows * 1_000) / ms);
  const count = `${plural(rows, "row")}, ${rate}/s`;
  if (share === null) return count;
  const done = Math.min(1, share);
  return `${bar(done, 1, barWidth, glyphs)} ${exactPercent(Math.floor(done * 100) / 100)} ${count}`;
}
