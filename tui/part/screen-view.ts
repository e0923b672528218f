/** What a screen is drawn from, and what every screen says the same way. */
import type { Data } from "../model/mesh-data.ts";
import { meshOf, presentOf } from "../model/list.ts";
import type { Ui } from "../model/ui.ts";
import { age } from "../../text/format.ts";
import type { Glyphs } from "../../text/glyph.ts";
import { line, span, type Line } from "../../text/line.ts";

export interface View {
  readonly ui: Ui;
  readonly data: Data;
  readonly glyphs: Glyphs;
  /** Columns and rows there are for it. */
  readonly width: number;
  readonly height: number;
}

/** Panes side by side from these widths on; below `stackedFrom` only the focused pane is shown. */
export const threeFrom = 140;
export const twoFrom = 100;
export const stackedFrom = 60;

/** Two panes beside each other: the list has room below it for something more. */
export function isTwoPaned(view: View): boolean {
  return !view.ui.zoomed && view.width >= twoFrom && view.width < threeFrom;
}

export function agoOf(view: View, at: number | null): string {
  const present = presentOf(view.data);
  return at === null || present === null ? "-" : age(at, present);
}

/** In place of a pane whose answer has not come yet, or was refused. */
export function waitingFor(view: View, what: string, refusal: string | null): Line {
  if (refusal !== null) return line("  ", span(refusal, "bad"));
  if (meshOf(view.data) === null) return line("  ", span("no coordinator has answered yet", "dim"));
  return line("  ", span(`${what} ${view.glyphs.ellipsis}`, "dim"));
}
