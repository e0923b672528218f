/**
 * One key: what it makes of the screens' state, and what must then be done outside. A plain function; the
 * sending, copying and leaving is the store's.
 */
import type { ModelView, SweepSummary } from "../../protocol/view.ts";
import { promotion, promotionOfBest, rollback } from "./alias-confirm.ts";
import { applies, commandOfKey, paletteOf, type Command, type CommandId } from "./command-table.ts";
import { cliInsight, cliLaunch, cliOfScreen } from "./cli-line.ts";
import {
  cordonAgent,
  drainAgent,
  nextAlternative,
  stopSweep,
  type Confirm,
  type MoveQuestion,
} from "./confirm.ts";
import type { Data } from "./mesh-data.ts";
import type { Step } from "./ui-effect.ts";
import { emptyForm } from "./form.ts";
import { insightKey, openInsight } from "./insight-key.ts";
import { modelOf, selectedAccount, selectedAgent, selectedSweep, selectedVersion } from "./list.ts";
import { launchKey } from "./launch-key.ts";
import { ask, back, focus, go, move, open, over, say, tab, toggleSweepWhy } from "./move.ts";
import { grantTokens, prioritise, weighAccount, weighSweep } from "./tune.ts";
import type { Overlay, Ui } from "./ui.ts";

export interface StepContext {
  readonly data: Data;
  /** Rows a page key moves by. */
  readonly page: number;
}

const filterCharactersMax = 100;

export function still(ui: Ui): Step {
  return { ui, effects: [] };
}

export function step(before: Ui, key: string, context: StepContext): Step {
  const ui: Ui = { ...before, notice: null };
  const overlay = ui.overlay;
  if (overlay === null) {
    const command = commandOfKey(key, ui);
    return command === null ? still(ui) : run(ui, command, context);
  }
  switch (overlay.kind) {
    case "help":
      return still(helpKey(ui, overlay, key));
    case "cli":
      return still({ ...ui, overlay: null });
    case "filter":
      return still(filterKey(ui, overlay, key));
    case "palette":
      return paletteKey(ui, overlay, key, context);
    case "confirm":
      return confirmKey(ui, overlay.confirm, key);
    case "insight":
      return key === "Y" ? copyCli(ui, cliInsight(overlay.sweep)) : still(insightKey(ui, overlay, key));
    case "launch":
      return key === "Y" && overlay.form.field === "file"
        ? copyCli(ui, cliLaunch(overlay.form.draft))
        : launchKey(ui, overlay.form, key);
  }
}

function run(ui: Ui, command: Command, context: StepContext): Step {
  if (!applies(command, ui)) return still(say(ui, "this session is read-only (R changes that)", "bad"));
  return runId(ui, command.id, context);
}

function runId(ui: Ui, id: CommandId, context: StepContext): Step {
  const { data, page } = context;
  switch (id) {
    case "go-mesh":
      return still(go(ui, "mesh"));
    case "go-sweeps":
      return still(go(ui, "sweeps"));
    case "go-trials":
      return still(go(ui, "trials"));
    case "go-datasets":
      return still(go(ui, "datasets"));
    case "go-registry":
      return still(go(ui, "registry"));
    case "go-budgets":
      return still(go(ui, "budgets"));
    case "go-events":
      return still(go(ui, "events"));
    case "last-view":
      return still(go(ui, ui.previous));
    case "launch":
      return { ui: over(ui, { kind: "launch", form: emptyForm }), effects: [{ kind: "load-templates" }] };
    case "down":
      return still(move(ui, 1, data));
    case "up":
      return still(move(ui, -1, data));
    case "page-down":
      return still(move(ui, page, data));
    case "page-up":
      return still(move(ui, -page, data));
    case "first":
      return still(move(ui, -Infinity, data));
    case "last":
      return still(move(ui, Infinity, data));
    case "open":
      return still(open(ui));
    case "back":
      return still(back(ui));
    case "next-pane":
      return still(focus(ui, 1));
    case "previous-pane":
      return still(focus(ui, -1));
    case "zoom":
      return still({ ...ui, zoomed: !ui.zoomed });
    case "filter":
      return still(over(ui, { kind: "filter", before: ui.filters[ui.screen] }));
    case "palette":
      return still(over(ui, { kind: "palette", text: "", index: 0 }));
    case "help":
      return still(over(ui, { kind: "help", offset: 0 }));
    case "show-trial":
      return still(tab(ui, "trial"));
    case "show-why":
      return still(tab(ui, "why"));
    case "show-logs":
      return still(tab(ui, "logs"));
    case "show-sweep-why":
      return still(toggleSweepWhy(ui));
    case "insight": {
      const sweep = selectedSweep(ui, data);
      return still(sweep === null ? say(ui, "no sweep is selected", "bad") : openInsight(ui, sweep.sweep));
    }
    case "stop-sweep":
      return still(
        askOfRunning(ui, data, (sweep) => stopSweep(sweep.sweep, sweep.name, sweep.counts.running)),
      );
    case "prioritise":
      return still(askOfRunning(ui, data, ({ sweep }) => prioritise(sweep)));
    case "weigh-sweep":
      return still(askOfRunning(ui, data, ({ sweep }) => weighSweep(sweep)));
    case "grant":
    case "weigh-account": {
      const account = selectedAccount(ui, data);
      if (account === null) return still(say(ui, "no account is selected", "bad"));
      return still(ask(ui, id === "grant" ? grantTokens(account) : weighAccount(account)));
    }
    case "cordon": {
      const agent = selectedAgent(ui, data);
      if (agent === null) return still(say(ui, "no agent is selected", "bad"));
      return still(ask(ui, cordonAgent(agent.agent, agent.state !== "cordoned", agent.running.length)));
    }
    case "drain": {
      const agent = selectedAgent(ui, data);
      if (agent === null) return still(say(ui, "no agent is selected", "bad"));
      return still(ask(ui, drainAgent(agent.agent, agent.state !== "draining", agent.running.length)));
    }
    case "promote": {
      const model = modelOf(ui, data);
      const version = selectedVersion(ui, data);
      if (model === null || version === null) return still(say(ui, "no version is selected", "bad"));
      const question = promotion(model, version);
      if (question.moves.length > 0) return askMoves(ui, question);
      return still(
        say(ui, `every alias of ${model.model} points to version ${version.version} already`, "bad"),
      );
    }
    case "promote-best":
      return ofModel(ui, data, promotionOfBest);
    case "rollback":
      return ofModel(ui, data, rollback);
    case "undo":
      return takeBack(ui);
    case "cli":
      return copyCli(ui, cliOfScreen(ui, data));
    case "read-only":
      if (ui.readOnlyForced) return still(say(ui, "this credential may only look", "bad"));
      return still(
        say({ ...ui, readOnly: !ui.readOnly }, ui.readOnly ? "changes are allowed" : "read-only", "plain"),
      );
    case "quit":
      return { ui, effects: [{ kind: "quit" }] };
  }
}

function askMoves(ui: Ui, question: MoveQuestion): Step {
  return { ui, effects: [{ kind: "ask-moves", question }] };
}

/** Asks about moves of the selected model's aliases. */
function ofModel(ui: Ui, data: Data, moves: (model: ModelView) => MoveQuestion): Step {
  const model = modelOf(ui, data);
  if (model === null) return still(say(ui, "no model is selected", "bad"));
  const question = moves(model);
  if (question.moves.length > 0) return askMoves(ui, question);
  return still(say(ui, `${model.model} has no alias`, "bad"));
}

function takeBack(ui: Ui): Step {
  const { undo } = ui;
  if (undo === null) return still(say(ui, "there is nothing to take back", "bad"));
  return "confirm" in undo ? still(ask(ui, undo.confirm)) : askMoves(ui, undo.question);
}

/** Asks about a change of the selected sweep, which must not have ended. */
function askOfRunning(ui: Ui, data: Data, change: (sweep: SweepSummary) => Confirm): Ui {
  const sweep = selectedSweep(ui, data);
  if (sweep === null) return say(ui, "no sweep is selected", "bad");
  if (sweep.finishedAt !== null) return say(ui, `${sweep.sweep} has ended already`, "bad");
  return ask(ui, change(sweep));
}

function copyCli(ui: Ui, text: string | null): Step {
  if (text === null) return still(say(ui, "no command line shows the same as this screen", "bad"));
  return { ui: over(ui, { kind: "cli", text }), effects: [{ kind: "copy", text }] };
}

function helpKey(ui: Ui, overlay: Extract<Overlay, { kind: "help" }>, key: string): Ui {
  if (key === "down" || key === "j") return over(ui, { ...overlay, offset: overlay.offset + 1 });
  if (key === "up" || key === "k") return over(ui, { ...overlay, offset: Math.max(0, overlay.offset - 1) });
  return { ...ui, overlay: null };
}

/** One visible character, as against the name of a key. */
export function isCharacter(key: string): boolean {
  return [...key].length === 1;
}

function filterKey(ui: Ui, overlay: Extract<Overlay, { kind: "filter" }>, key: string): Ui {
  const filter = ui.filters[ui.screen];
  const put = (text: string): Ui => ({ ...ui, filters: { ...ui.filters, [ui.screen]: text } });
  if (key === "enter") return { ...ui, overlay: null };
  if (key === "escape") return { ...put(overlay.before), overlay: null };
  if (key === "backspace") return put([...filter].slice(0, -1).join(""));
  if (key === "ctrl+u") return put("");
  return isCharacter(key) ? put((filter + key).slice(0, filterCharactersMax)) : ui;
}

function paletteKey(
  ui: Ui,
  overlay: Extract<Overlay, { kind: "palette" }>,
  key: string,
  context: StepContext,
): Step {
  const found = paletteOf(overlay.text, ui);
  const put = (text: string) => still(over(ui, { kind: "palette", text, index: 0 }));
  const at = (index: number) =>
    still(over(ui, { ...overlay, index: Math.min(found.length - 1, Math.max(0, index)) }));
  if (key === "escape") return still({ ...ui, overlay: null });
  if (key === "down" || key === "tab") return at(overlay.index + 1);
  if (key === "up" || key === "shift+tab") return at(overlay.index - 1);
  if (key === "backspace") return put([...overlay.text].slice(0, -1).join(""));
  if (key === "ctrl+u") return put("");
  if (key === "enter") {
    const command = found[overlay.index];
    return command === undefined ? still(ui) : run({ ...ui, overlay: null }, command, context);
  }
  return isCharacter(key) ? put((overlay.text + key).slice(0, filterCharactersMax)) : still(ui);
}

function confirmKey(ui: Ui, confirm: Confirm, key: string): Step {
  if (key === "y") return { ui: { ...ui, overlay: null }, effects: [{ kind: "send", confirm }] };
  if (key === "n" || key === "escape" || key === "q")
    return still(say({ ...ui, overlay: null }, "nothing was changed", "plain"));
  if (key === "left" || key === "h") return still(ask(ui, nextAlternative(confirm, -1)));
  if (key === "right" || key === "l" || key === "tab") return still(ask(ui, nextAlternative(confirm, 1)));
  if (key === "Y") return copyCli(ui, confirm.cli);
  return still(ui);
}
