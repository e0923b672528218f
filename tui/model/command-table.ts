/**
 * The one table of commands: the keys, the palette, the help and the footer are all made from it.
 * What a command does is in `ui-step.ts`; that every id is handled there the compiler checks.
 */
import type { Screen, Ui } from "./ui.ts";

export const commandIds = [
  "go-mesh",
  "go-sweeps",
  "go-trials",
  "go-registry",
  "go-datasets",
  "go-budgets",
  "go-events",
  "launch",
  "down",
  "up",
  "page-down",
  "page-up",
  "first",
  "last",
  "open",
  "back",
  "next-pane",
  "previous-pane",
  "zoom",
  "last-view",
  "filter",
  "palette",
  "help",
  "stop-sweep",
  "pause-sweep",
  "stop-trial",
  "show-sweep-why",
  "insight",
  "prioritise",
  "weigh-sweep",
  "cordon",
  "drain",
  "grant",
  "weigh-account",
  "show-trial",
  "show-why",
  "show-logs",
  "promote",
  "promote-best",
  "rollback",
  "undo",
  "cli",
  "read-only",
  "quit",
] as const;
export type CommandId = (typeof commandIds)[number];

export interface Command {
  readonly id: CommandId;
  /** As `key-press.ts` names them; the first stands in the footer. */
  readonly keys: readonly string[];
  readonly title: string;
  /** Where it applies; null is everywhere. */
  readonly screens: readonly Screen[] | null;
  /** It changes the mesh, so a read-only session does not have it. */
  readonly writes: boolean;
  /** Its word in the footer; null keeps it out. */
  readonly footer: string | null;
}

function entry(
  id: CommandId,
  keys: readonly string[],
  title: string,
  rest: { screens?: readonly Screen[]; writes?: boolean; footer?: string } = {},
): Command {
  return {
    id,
    keys,
    title,
    screens: rest.screens ?? null,
    writes: rest.writes ?? false,
    footer: rest.footer ?? null,
  };
}

export const commandTable: readonly Command[] = [
  entry("stop-sweep", ["x"], "Stop the selected sweep", {
    screens: ["sweeps"],
    writes: true,
    footer: "stop",
  }),
  entry("pause-sweep", ["p"], "Pause the selected sweep, or let it go on", {
    screens: ["sweeps"],
    writes: true,
  }),
  entry("stop-trial", ["x"], "Stop the selected trial; its sweep goes on", {
    screens: ["trials"],
    writes: true,
  }),
  entry("drain", ["d"], "Drain the selected agent (empty it), or end its drain", {
    screens: ["mesh"],
    writes: true,
    footer: "drain",
  }),
  entry("cordon", ["c"], "Cordon the selected agent (nothing new there), or end it", {
    screens: ["mesh"],
    writes: true,
    footer: "cordon",
  }),
  entry("show-sweep-why", ["y"], "Why does the selected sweep not get on", {
    screens: ["sweeps"],
    footer: "sweep's why",
  }),
  entry(
    "insight",
    ["i"],
    "What the selected sweep has taught: which parameters matter, where the best trials are",
    {
      screens: ["sweeps", "trials"],
      footer: "insight",
    },
  ),
  entry("prioritise", ["P"], "Priority of the selected sweep beside its requester's others", {
    screens: ["sweeps"],
    writes: true,
  }),
  entry("weigh-sweep", ["W"], "Weight of the selected sweep beside its requester's others", {
    screens: ["sweeps"],
    writes: true,
  }),
  entry("grant", ["a"], "Grant the selected account tokens", {
    screens: ["budgets"],
    writes: true,
    footer: "grant",
  }),
  entry("weigh-account", ["W"], "Weight of the selected account beside the others", {
    screens: ["budgets"],
    writes: true,
    footer: "weight",
  }),
  entry("show-why", ["w"], "Why is the selected trial not running", {
    screens: ["sweeps", "trials"],
    footer: "why",
  }),
  entry("show-logs", ["L"], "Log lines of the selected trial", {
    screens: ["sweeps", "trials"],
    footer: "logs",
  }),
  entry("show-trial", ["t"], "The selected trial itself", { screens: ["sweeps", "trials"], footer: "trial" }),
  entry("promote", ["p"], "Move an alias to the selected version", {
    screens: ["registry"],
    writes: true,
    footer: "promote",
  }),
  entry("promote-best", ["B"], "Move an alias to the best version", { screens: ["registry"], writes: true }),
  entry("rollback", ["b"], "Move an alias back to where it pointed before", {
    screens: ["registry"],
    writes: true,
    footer: "roll back",
  }),
  entry("undo", ["u"], "Take back the last change", { screens: ["registry", "mesh"], writes: true }),
  entry("launch", ["n"], "Launch a sweep", { writes: true, footer: "new sweep" }),
  entry("filter", ["/"], "Filter the rows", { footer: "filter" }),
  entry("palette", [":", "ctrl+p"], "Find a command by its name", { footer: "commands" }),
  entry("help", ["?"], "Keys of this screen", { footer: "help" }),
  entry("go-mesh", ["1"], "Mesh: agents and what they run"),
  entry("go-sweeps", ["2"], "Sweeps: progress and best so far"),
  entry("go-trials", ["3"], "Trials of the selected sweep"),
  entry("go-registry", ["4"], "Registry: models, versions, aliases"),
  entry("go-datasets", ["5"], "Datasets: versions, checks, what they trained"),
  entry("go-budgets", ["6"], "Queue and budgets: accounts and statements"),
  entry("go-events", ["7"], "Events: the journal as it grows"),
  entry("down", ["down", "j"], "Next row"),
  entry("up", ["up", "k"], "Previous row"),
  entry("page-down", ["pagedown", "ctrl+d"], "A page down"),
  entry("page-up", ["pageup", "ctrl+u"], "A page up"),
  entry("first", ["g", "home"], "First row"),
  entry("last", ["G", "end"], "Last row"),
  entry("open", ["enter", "right", "l"], "Into the selected row"),
  entry("back", ["escape", "left", "h"], "Back"),
  entry("next-pane", ["tab"], "Next pane"),
  entry("previous-pane", ["shift+tab"], "Previous pane"),
  entry("zoom", ["+"], "Give the focused pane the whole screen"),
  entry("last-view", ["-"], "The screen before this one"),
  entry("cli", ["Y"], "Show and copy the equivalent command line"),
  entry("read-only", ["R"], "Read-only on and off"),
  entry("quit", ["q"], "Quit", { footer: "quit" }),
];

export function applies(command: Command, ui: Ui): boolean {
  if (command.screens !== null && !command.screens.includes(ui.screen)) return false;
  return !(command.writes && ui.readOnly);
}

/** The command a key stands for on this screen, even one that read-only forbids: the refusal says so. */
export function commandOfKey(key: string, ui: Ui): Command | null {
  return (
    commandTable.find(
      (each) => each.keys.includes(key) && (each.screens === null || each.screens.includes(ui.screen)),
    ) ?? null
  );
}

/** What the palette offers for what was typed so far. */
export function paletteOf(text: string, ui: Ui): readonly Command[] {
  const words = text.toLowerCase().split(/\s+/);
  return commandTable.filter(
    (each) =>
      applies(each, ui) &&
      each.id !== "palette" &&
      words.every((word) => `${each.title} ${each.id}`.toLowerCase().includes(word)),
  );
}
