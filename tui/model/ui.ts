/** What the person has chosen: screen, selections, filters, what lies over the screen. Nothing of the mesh itself. */
import type { Confirm, Undo } from "./confirm.ts";
import type { Form } from "./form.ts";

export const screens = ["mesh", "sweeps", "trials", "registry", "datasets", "budgets", "events"] as const;
export type Screen = (typeof screens)[number];

export const screenTitles: Readonly<Record<Screen, string>> = {
  mesh: "Mesh",
  sweeps: "Sweeps",
  trials: "Trials",
  registry: "Registry",
  datasets: "Datasets",
  budgets: "Queue and budgets",
  events: "Events",
};

/** Everything that has rows to choose from. */
export const listNames = [
  "agents",
  "sweeps",
  "trials",
  "models",
  "versions",
  "datasets",
  "datasetVersions",
  "accounts",
  "lines",
  "events",
] as const;
export type ListName = (typeof listNames)[number];

/** The list a screen opens with, and the one its detail pane holds. */
export const screenLists: Readonly<Record<Screen, readonly [ListName, ...ListName[]]>> = {
  mesh: ["agents"],
  sweeps: ["sweeps", "trials"],
  trials: ["trials"],
  registry: ["models", "versions"],
  datasets: ["datasets", "datasetVersions"],
  budgets: ["accounts", "lines"],
  events: ["events"],
};

export interface Selection {
  /** The row's name; it stays selected when the list is ordered anew. */
  readonly key: string | null;
  /** Where it was, for when it is gone. */
  readonly index: number;
}

export type Overlay =
  | { readonly kind: "help"; readonly offset: number }
  | { readonly kind: "palette"; readonly text: string; readonly index: number }
  | { readonly kind: "filter"; readonly before: string }
  | { readonly kind: "confirm"; readonly confirm: Confirm }
  | { readonly kind: "launch"; readonly form: Form }
  | { readonly kind: "cli"; readonly text: string }
  | Insight;

/** What the best so far is drawn over. */
export const insightScales = ["trials", "tokens", "time"] as const;
export type InsightScale = (typeof insightScales)[number];

/** What one sweep has taught, over the whole screen. `offset`: rows scrolled past. */
export interface Insight {
  readonly kind: "insight";
  readonly sweep: string;
  readonly scale: InsightScale;
  readonly offset: number;
}

export interface Notice {
  readonly text: string;
  readonly tone: "good" | "bad" | "plain";
}

export type TrialTab = "trial" | "why" | "logs";
export type SweepTab = "sweep" | "why";

export interface Ui {
  readonly screen: Screen;
  readonly previous: Screen;
  readonly selections: Readonly<Record<ListName, Selection>>;
  /** 0 is the screen's first list, 1 its detail. */
  readonly focus: number;
  readonly zoomed: boolean;
  readonly filters: Readonly<Record<Screen, string>>;
  readonly tab: TrialTab;
  /** The first line shown of a log; null while it follows the last. */
  readonly logTop: number | null;
  /** What the detail of the sweeps screen shows. */
  readonly sweepTab: SweepTab;
  readonly overlay: Overlay | null;
  readonly notice: Notice | null;
  /** What `u` would take back. */
  readonly undo: Undo | null;
  readonly readOnly: boolean;
  /** The role may only look; `R` cannot change it. */
  readonly readOnlyForced: boolean;
}

export interface StartWith {
  readonly screen?: string | undefined;
  readonly sweep?: string | undefined;
}

const nothing: Selection = { key: null, index: 0 };

export function startUi(readOnly: boolean, start: StartWith = {}): Ui {
  const fallback: Screen = start.sweep === undefined ? "mesh" : "sweeps";
  const screen = screens.find((each) => each === start.screen) ?? fallback;
  return {
    screen,
    previous: "mesh",
    selections: {
      agents: nothing,
      sweeps: { key: start.sweep ?? null, index: 0 },
      trials: nothing,
      models: nothing,
      versions: nothing,
      datasets: nothing,
      datasetVersions: nothing,
      accounts: nothing,
      lines: nothing,
      events: nothing,
    },
    focus: 0,
    zoomed: false,
    filters: { mesh: "", sweeps: "", trials: "", registry: "", datasets: "", budgets: "", events: "" },
    tab: "trial",
    logTop: null,
    sweepTab: "sweep",
    overlay: null,
    notice: null,
    undo: null,
    readOnly,
    readOnlyForced: readOnly,
  };
}

/** The log has the focus, and no list: the keys that move scroll it. */
export function isInLog(ui: Ui): boolean {
  return ui.screen === "trials" && ui.tab === "logs" && ui.focus > 0;
}

/** Panes of the screen that can have the focus. */
export function paneCount(ui: Ui): number {
  return screenLists[ui.screen].length + (ui.screen === "trials" && ui.tab === "logs" ? 1 : 0);
}

export function focusedList(ui: Ui): ListName {
  const lists = screenLists[ui.screen];
  return lists[ui.focus] ?? lists[0];
}

export function withSelection(ui: Ui, list: ListName, selection: Selection): Ui {
  return { ...ui, selections: { ...ui.selections, [list]: selection } };
}
