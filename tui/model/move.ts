/** Moves between screens, panes and rows: what each makes of the screens' state. */
import type { Confirm } from "./confirm.ts";
import type { Data } from "./mesh-data.ts";
import { keysOf, selectedIndex } from "./list.ts";
import {
  focusedList,
  paneCount,
  withSelection,
  type Notice,
  type Overlay,
  type Screen,
  type TrialTab,
  type Ui,
} from "./ui.ts";

export function say(ui: Ui, text: string, tone: Notice["tone"]): Ui {
  return { ...ui, notice: { text, tone } };
}

export function go(ui: Ui, screen: Screen): Ui {
  if (screen === ui.screen) return { ...ui, focus: 0 };
  return { ...ui, screen, previous: ui.screen, focus: 0, zoomed: false };
}

export function over(ui: Ui, overlay: Overlay): Ui {
  return { ...ui, overlay };
}

export function ask(ui: Ui, confirm: Confirm): Ui {
  return over(ui, { kind: "confirm", confirm });
}

export function tab(ui: Ui, name: TrialTab): Ui {
  return { ...go(ui, "trials"), tab: name, logTop: null, focus: name === "logs" ? 1 : 0 };
}

/** The selected sweep's reasons in place of its detail, or the detail again. */
export function toggleSweepWhy(ui: Ui): Ui {
  return { ...go(ui, "sweeps"), sweepTab: ui.sweepTab === "why" && ui.screen === "sweeps" ? "sweep" : "why" };
}

/** Moves the selection of the focused list; what hangs on the old selection starts afresh. */
export function move(ui: Ui, by: number, data: Data): Ui {
  const list = focusedList(ui);
  const keys = keysOf(list, ui, data);
  if (keys.length === 0) return ui;
  const from = selectedIndex(ui.selections[list], keys);
  const index = Math.min(keys.length - 1, Math.max(0, from + by));
  const moved = withSelection(ui, list, { key: keys[index] ?? null, index });
  if (index === from) return moved;
  const nothing = { key: null, index: 0 };
  if (list === "trials") return { ...moved, logTop: null };
  if (list === "sweeps") return withSelection(moved, "trials", nothing);
  if (list === "models") return withSelection(moved, "versions", nothing);
  if (list === "datasets") return withSelection(moved, "datasetVersions", nothing);
  if (list === "accounts") return withSelection(moved, "lines", nothing);
  return moved;
}

export function open(ui: Ui): Ui {
  if (ui.focus + 1 < paneCount(ui)) return focus(ui, 1);
  if (ui.screen === "sweeps") return tab(ui, "trial");
  return ui;
}

export function back(ui: Ui): Ui {
  if (ui.zoomed) return { ...ui, zoomed: false };
  if (ui.screen === "sweeps" && ui.sweepTab === "why") return { ...ui, sweepTab: "sweep" };
  if (ui.focus > 0) return { ...ui, focus: ui.focus - 1 };
  if (ui.filters[ui.screen] !== "") return { ...ui, filters: { ...ui.filters, [ui.screen]: "" } };
  return ui.screen === "trials" ? go(ui, "sweeps") : ui;
}

export function focus(ui: Ui, by: number): Ui {
  const count = paneCount(ui);
  // The reasons of a sweep are no list to go into.
  return { ...ui, focus: (ui.focus + by + count) % count, sweepTab: "sweep" };
}
