/**
 * One frame: every line that stands on the terminal, from the state of the screens and what is known of the
 * mesh. A plain function; never wider or taller than the terminal, whatever its size.
 */
import type { Data } from "./model/mesh-data.ts";
import type { Ui } from "./model/ui.ts";
import { fitHeight } from "./part/pane.ts";
import { budgetsScreen } from "./screen/budgets.ts";
import { eventsScreen } from "./screen/events.ts";
import { footerLine, headerLine, stripLine, summaryLine } from "./screen/header.ts";
import { insightLines } from "./screen/insight.ts";
import { launchLines } from "./screen/launch.ts";
import { meshScreen } from "./screen/mesh.ts";
import { atFoot, cliLines, confirmLines, helpLines, paletteLines } from "./screen/overlay.ts";
import { datasetsScreen } from "./screen/datasets.ts";
import { registryScreen } from "./screen/registry.ts";
import { sweepsScreen } from "./screen/sweeps.ts";
import { trialsScreen } from "./screen/trials.ts";
import type { View } from "./part/screen-view.ts";
import type { Glyphs } from "../text/glyph.ts";
import { finishLine, sameLine, toned, type Line } from "../text/line.ts";

export interface Size {
  readonly columns: number;
  readonly rows: number;
}
export interface FrameInput {
  readonly ui: Ui;
  readonly data: Data;
  readonly size: Size;
  readonly glyphs: Glyphs;
  readonly mesh: string;
  readonly who: string;
}
export interface Frame {
  /** As many as the terminal has rows, or one in a very small terminal. */
  readonly lines: readonly Line[];
}

/** Below either, one line of summary. */
export const columnsMin = 30;
export const rowsMin = 8;
/** From this many rows on the whole mesh has a line of its own. */
const stripFromRows = 12;

export function drawFrame(input: FrameInput): Frame {
  const { ui, data, glyphs } = input;
  const { columns, rows } = input.size;
  const finish = (lines: readonly Line[]) =>
    lines.map((each) => finishLine(each, columns, glyphs.ellipsis, glyphs.ascii));
  const whole: View = { ui, data, glyphs, width: columns, height: rows };
  if (columns < columnsMin || rows < rowsMin) return { lines: finish([summaryLine(whole)]) };

  const top = [
    headerLine(whole, input.mesh, input.who),
    ...(rows >= stripFromRows ? [stripLine(whole)] : []),
  ];
  const body: View = { ...whole, height: rows - top.length - 1 };
  const drawn = fitHeight(bodyLines(body), body.height);
  const frozen = data.link !== "live" && data.link !== "connecting" && ui.overlay === null;
  const shown = frozen ? drawn.map((each) => toned(each, "dim")) : drawn;
  return { lines: finish([...top, ...shown, footerLine(whole)]) };
}

function bodyLines(view: View): readonly Line[] {
  const { overlay } = view.ui;
  if (overlay === null || overlay.kind === "filter") return screenLines(view);
  switch (overlay.kind) {
    case "help":
      return helpLines(view, overlay.offset);
    case "palette":
      return paletteLines(view, overlay);
    case "insight":
      return insightLines(view, overlay);
    case "launch":
      return launchLines(view, overlay.form);
    case "confirm":
      return atFoot(screenLines(view), confirmLines(view, overlay.confirm), view.height);
    case "cli":
      return atFoot(screenLines(view), cliLines(view, overlay.text), view.height);
  }
}

function screenLines(view: View): readonly Line[] {
  switch (view.ui.screen) {
    case "mesh":
      return meshScreen(view);
    case "sweeps":
      return sweepsScreen(view);
    case "trials":
      return trialsScreen(view);
    case "datasets":
      return datasetsScreen(view);
    case "registry":
      return registryScreen(view);
    case "budgets":
      return budgetsScreen(view);
    case "events":
      return eventsScreen(view);
  }
}

export function sameFrame(a: Frame, b: Frame): boolean {
  return (
    a.lines.length === b.lines.length && a.lines.every((each, index) => sameLine(each, b.lines[index] ?? []))
  );
}
