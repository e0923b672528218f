/**
 * The characters the screens draw with, in two sets: one for terminals with Unicode, one of ASCII only.
 * Every state has a glyph of its own, so that it is recognised without colour.
 */
import type { AgentView, SweepSummary } from "../protocol/view.ts";
import type { TrialState } from "../protocol/life.ts";

export interface Glyphs {
  readonly ascii: boolean;
  readonly ellipsis: string;
  readonly cursor: string;
  readonly across: string;
  readonly down: string;
  readonly dot: string;
  readonly arrow: string;
  readonly times: string;
  readonly barFull: string;
  readonly barEmpty: string;
  /** What is held but not used up. */
  readonly barHeld: string;
  /** From nothing to full, for a bar's last cell. */
  readonly barPart: readonly string[];
  /** From lowest to highest, for sparklines. */
  readonly spark: readonly string[];
  readonly agent: Readonly<Record<AgentView["state"], string>>;
  readonly trial: Readonly<Record<TrialState, string>>;
  readonly sweep: Readonly<Record<SweepSummary["state"], string>>;
}

export const unicodeGlyphs: Glyphs = {
  ascii: false,
  ellipsis: "…",
  cursor: "▸",
  across: "─",
  down: "│",
  dot: "·",
  arrow: "→",
  times: "×",
  barFull: "█",
  barEmpty: "░",
  barHeld: "▒",
  barPart: ["░", "▏", "▎", "▍", "▌", "▋", "▊", "▉"],
  spark: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
  agent: { present: "●", silent: "◌", closed: "■", draining: "◐", cordoned: "◫" },
  trial: {
    queued: "○",
    running: "▶",
    paused: "‖",
    completed: "✓",
    stopped: "◇",
    failed: "✗",
    cancelled: "⊘",
  },
  sweep: { running: "▶", waiting: "◌", paused: "‖", done: "✓", stopped: "◇" },
};

export const asciiGlyphs: Glyphs = {
  ascii: true,
  ellipsis: "~",
  cursor: ">",
  across: "-",
  down: "|",
  dot: "-",
  arrow: "->",
  times: "x",
  barFull: "#",
  barEmpty: ".",
  barHeld: "=",
  barPart: ["."],
  spark: ["_", ".", "-", "=", "+", "*", "#", "@"],
  agent: { present: "*", silent: "?", closed: "=", draining: "%", cordoned: "#" },
  trial: {
    queued: "o",
    running: ">",
    paused: "=",
    completed: "+",
    stopped: "/",
    failed: "!",
    cancelled: "x",
  },
  sweep: { running: ">", waiting: "?", paused: "=", done: "+", stopped: "/" },
};

/** ASCII where asked for, or where the terminal or its locale cannot show more. */
export function glyphsFor(env: Readonly<Record<string, string | undefined>>): Glyphs {
  if (env["TRIALMESH_ASCII"] !== undefined && !["", "0"].includes(env["TRIALMESH_ASCII"])) return asciiGlyphs;
  if (env["TERM"] === "linux" || env["TERM"] === "dumb") return asciiGlyphs;
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find(
    (each) => each !== undefined && each !== "",
  );
  if (locale === undefined) return unicodeGlyphs;
  return /utf-?8/i.test(locale) ? unicodeGlyphs : asciiGlyphs;
}
