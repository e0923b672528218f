/** What may lie over a screen: help, the palette, a confirmation, the equivalent command line. */
import { applies, commandTable, paletteOf } from "../model/command-table.ts";
import type { Confirm } from "../model/confirm.ts";
import { screenTitles, type Overlay } from "../model/ui.ts";
import { fitHeight, heading } from "../part/pane.ts";
import { firstVisible } from "../part/screen-table.ts";
import { blank, line, span, toned, type Line } from "../../text/line.ts";
import { cell, wrap } from "../../text/width.ts";
import type { View } from "../part/screen-view.ts";

const keysWidth = 16;

export function helpLines(view: View, offset: number): readonly Line[] {
  const { ui, glyphs, width, height } = view;
  const own = commandTable.filter((each) => applies(each, ui) && each.screens !== null);
  const everywhere = commandTable.filter((each) => applies(each, ui) && each.screens === null);
  const rows: Line[] = [
    ...own.map((each) => keyLine(each.keys, each.title)),
    ...(own.length === 0 ? [] : [blank]),
    ...everywhere.map((each) => keyLine(each.keys, each.title)),
    blank,
    line(
      span(
        "Filters: words that must all match; !word must not; ~word is fuzzy; key:word looks at one field.",
        "dim",
      ),
    ),
  ];
  const room = Math.max(1, height - 1);
  const from = Math.min(offset, Math.max(0, rows.length - room));
  const more =
    rows.length > room ? ` (${from + 1}-${Math.min(rows.length, from + room)} of ${rows.length}, j k)` : "";
  return [
    heading(`Keys of ${screenTitles[ui.screen]}${more}`, width, true, glyphs),
    ...rows.slice(from, from + room),
  ];
}

function keyLine(keys: readonly string[], title: string): Line {
  return line(span(`  ${cell(keys.join(" "), keysWidth, "")} `, "accent"), title);
}

export function paletteLines(view: View, overlay: Extract<Overlay, { kind: "palette" }>): readonly Line[] {
  const { ui, glyphs, width, height } = view;
  const found = paletteOf(overlay.text, ui);
  const room = Math.max(0, height - 2);
  const from = firstVisible(overlay.index, found.length, room);
  return [
    heading("Commands", width, true, glyphs),
    line(span(": ", "accent"), overlay.text, span(glyphs.ascii ? "_" : "▏", "accent")),
    ...found.slice(from, from + room).map((each, index) => {
      const chosen = from + index === overlay.index;
      const mark = (chosen ? glyphs.cursor : "").padEnd(2);
      const row = line(
        span(mark, "accent"),
        cell(each.title, 48, glyphs.ellipsis),
        span(` ${each.keys.join(" ")}`, "dim"),
      );
      return chosen ? toned(row, "select") : row;
    }),
    ...(found.length === 0 ? [line("  ", span("no command of that name", "dim"))] : []),
  ];
}

/** A panel for the foot of the screen, so that what is changed stays in sight above. */
export function confirmLines(view: View, confirm: Confirm): readonly Line[] {
  const { glyphs, width } = view;
  const many = confirm.alternatives.length > 1;
  return [
    heading(confirm.title, width, true, glyphs),
    ...confirm.change.flatMap((each) =>
      wrap(each, width - 2).map((text) => line("  ", span(text, "strong"))),
    ),
    line("  ", span(confirm.cli, "dim")),
    line(
      "  ",
      span("y", "accent"),
      " does it, ",
      span("n", "accent"),
      ` leaves it${many ? ", left and right choose another" : ""}`,
    ),
  ];
}

export function cliLines(view: View, text: string): readonly Line[] {
  const { glyphs, width } = view;
  return [
    heading("The same on the command line (copied)", width, true, glyphs),
    ...wrap(text, Math.max(1, width - 2)).map((each) => line("  ", span(each, "strong"))),
    line("  ", span("any key goes back", "dim")),
  ];
}

/** The screen with a panel over its last lines. */
export function atFoot(screen: readonly Line[], panel: readonly Line[], height: number): readonly Line[] {
  const kept = Math.max(0, height - panel.length);
  return [...fitHeight(screen, kept), ...panel].slice(-height);
}
