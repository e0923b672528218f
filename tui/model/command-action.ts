/**
 * What each command makes of the screens' state, and what must then be done outside. Which key means which command, and
 * whether it applies, is the command table's.
 */
import type { ModelView, SweepSummary } from "../../protocol/view.ts";
import { promotion, promotionOfBest, rollback } from "./alias-confirm.ts";
import { cliOfScreen } from "./cli-line.ts";
import type { CommandId } from "./command-table.ts";
import { cordonAgent, drainAgent, stopSweep, stopTrial, type Confirm, type MoveQuestion } from "./confirm.ts";
import { emptyForm } from "./form.ts";
import { openInsight } from "./insight-key.ts";
import {
  modelOf,
  selectedAccount,
  selectedAgent,
  selectedSweep,
  selectedTrial,
  selectedVersion,
} from "./list.ts";
import type { Data } from "./mesh-data.ts";
import { ask, back, focus, go, move, open, over, say, tab, toggleSweepWhy } from "./move.ts";
import { grantTokens, pauseSweep, prioritise, resumeSweep, weighAccount, weighSweep } from "./tune.ts";
import type { Step } from "./ui-effect.ts";
import { scrollLog } from "./scroll-log.ts";
import { isInLog, type Ui } from "./ui.ts";

export interface StepContext {
  readonly data: Data;
  /** Rows a page key moves by. */
  readonly page: number;
}

type Action = (ui: Ui, context: StepContext) => Step;

export function actionOf(id: CommandId): Action {
  return actions[id];
}

export function still(ui: Ui): Step {
  return { ui, effects: [] };
}

/** An action that only changes what is shown. */
function shows(change: (ui: Ui, context: StepContext) => Ui): Action {
  return (ui, context) => still(change(ui, context));
}

/** Rows down, in whatever has the focus. */
function moves(by: (page: number) => number): Action {
  return shows((ui, { data, page }) =>
    isInLog(ui) ? scrollLog(ui, by(page), page, data) : move(ui, by(page), data),
  );
}

const actions: { readonly [Id in CommandId]: Action } = {
  "go-mesh": shows((ui) => go(ui, "mesh")),
  "go-sweeps": shows((ui) => go(ui, "sweeps")),
  "go-trials": shows((ui) => go(ui, "trials")),
  "go-datasets": shows((ui) => go(ui, "datasets")),
  "go-registry": shows((ui) => go(ui, "registry")),
  "go-budgets": shows((ui) => go(ui, "budgets")),
  "go-events": shows((ui) => go(ui, "events")),
  "last-view": shows((ui) => go(ui, ui.previous)),
  launch: (ui) => ({
    ui: over(ui, { kind: "launch", form: emptyForm }),
    effects: [{ kind: "load-templates" }],
  }),
  down: moves(() => 1),
  up: moves(() => -1),
  "page-down": moves((page) => page),
  "page-up": moves((page) => -page),
  first: moves(() => -Infinity),
  last: moves(() => Infinity),
  open: shows(open),
  back: shows(back),
  "next-pane": shows((ui) => focus(ui, 1)),
  "previous-pane": shows((ui) => focus(ui, -1)),
  zoom: shows((ui) => ({ ...ui, zoomed: !ui.zoomed })),
  filter: shows((ui) => over(ui, { kind: "filter", before: ui.filters[ui.screen] })),
  palette: shows((ui) => over(ui, { kind: "palette", text: "", index: 0 })),
  help: shows((ui) => over(ui, { kind: "help", offset: 0 })),
  "show-trial": shows((ui) => tab(ui, "trial")),
  "show-why": shows((ui) => tab(ui, "why")),
  "show-logs": shows((ui) => tab(ui, "logs")),
  "show-sweep-why": shows(toggleSweepWhy),
  insight: shows((ui, { data }) => {
    const sweep = selectedSweep(ui, data);
    return sweep === null ? say(ui, "no sweep is selected", "bad") : openInsight(ui, sweep.sweep);
  }),
  "stop-sweep": shows((ui, { data }) =>
    askOfRunning(ui, data, (sweep) => stopSweep(sweep.sweep, sweep.name, sweep.counts.running)),
  ),
  "pause-sweep": shows((ui, { data }) =>
    askOfRunning(ui, data, (sweep) =>
      sweep.state === "paused" ? resumeSweep(sweep.sweep) : pauseSweep(sweep.sweep, sweep.counts.running),
    ),
  ),
  "stop-trial": shows((ui, { data }) => {
    const trial = selectedTrial(ui, data);
    if (trial === null) return say(ui, "no trial is selected", "bad");
    const isOver = !["queued", "running", "paused"].includes(trial.state);
    return isOver ? say(ui, `${trial.trial} has ended already`, "bad") : ask(ui, stopTrial(trial.trial));
  }),
  prioritise: shows((ui, { data }) => askOfRunning(ui, data, ({ sweep }) => prioritise(sweep))),
  "weigh-sweep": shows((ui, { data }) => askOfRunning(ui, data, ({ sweep }) => weighSweep(sweep))),
  grant: shows((ui, { data }) => askOfAccount(ui, data, grantTokens)),
  "weigh-account": shows((ui, { data }) => askOfAccount(ui, data, weighAccount)),
  cordon: shows((ui, { data }) =>
    askOfAgent(ui, data, ({ agent, running, state }) =>
      cordonAgent(agent, state !== "cordoned", running.length),
    ),
  ),
  drain: shows((ui, { data }) =>
    askOfAgent(ui, data, ({ agent, running, state }) =>
      drainAgent(agent, state !== "draining", running.length),
    ),
  ),
  promote: (ui, { data }) => askToPromote(ui, data),
  "promote-best": (ui, { data }) => askOfModel(ui, data, promotionOfBest),
  rollback: (ui, { data }) => askOfModel(ui, data, rollback),
  undo: takeBack,
  cli: (ui, { data }) => copyCli(ui, cliOfScreen(ui, data)),
  "read-only": shows((ui) =>
    ui.readOnlyForced
      ? say(ui, "this credential may only look", "bad")
      : say({ ...ui, readOnly: !ui.readOnly }, ui.readOnly ? "changes are allowed" : "read-only", "plain"),
  ),
  quit: (ui) => ({ ui, effects: [{ kind: "quit" }] }),
};

/** Asks about a change of the selected sweep, which must not have ended. */
function askOfRunning(ui: Ui, data: Data, change: (sweep: SweepSummary) => Confirm): Ui {
  const sweep = selectedSweep(ui, data);
  if (sweep === null) return say(ui, "no sweep is selected", "bad");
  if (sweep.finishedAt !== null) return say(ui, `${sweep.sweep} has ended already`, "bad");
  return ask(ui, change(sweep));
}

function askOfAccount(
  ui: Ui,
  data: Data,
  change: (account: NonNullable<ReturnType<typeof selectedAccount>>) => Confirm,
): Ui {
  const account = selectedAccount(ui, data);
  return account === null ? say(ui, "no account is selected", "bad") : ask(ui, change(account));
}

function askOfAgent(
  ui: Ui,
  data: Data,
  change: (agent: NonNullable<ReturnType<typeof selectedAgent>>) => Confirm,
): Ui {
  const agent = selectedAgent(ui, data);
  return agent === null ? say(ui, "no agent is selected", "bad") : ask(ui, change(agent));
}

function askToPromote(ui: Ui, data: Data): Step {
  const model = modelOf(ui, data);
  const version = selectedVersion(ui, data);
  if (model === null || version === null) return still(say(ui, "no version is selected", "bad"));
  const question = promotion(model, version);
  if (question.moves.length > 0) return askMoves(ui, question);
  return still(say(ui, `every alias of ${model.model} points to version ${version.version} already`, "bad"));
}

/** Asks about moves of the selected model's aliases. */
function askOfModel(ui: Ui, data: Data, moves: (model: ModelView) => MoveQuestion): Step {
  const model = modelOf(ui, data);
  if (model === null) return still(say(ui, "no model is selected", "bad"));
  const question = moves(model);
  if (question.moves.length > 0) return askMoves(ui, question);
  return still(say(ui, `${model.model} has no alias`, "bad"));
}

function askMoves(ui: Ui, question: MoveQuestion): Step {
  return { ui, effects: [{ kind: "ask-moves", question }] };
}

function takeBack(ui: Ui): Step {
  const { undo } = ui;
  if (undo === null) return still(say(ui, "there is nothing to take back", "bad"));
  return "confirm" in undo ? still(ask(ui, undo.confirm)) : askMoves(ui, undo.question);
}

/** Shows and copies the command line that does the same; null where there is none. */
export function copyCli(ui: Ui, text: string | null): Step {
  if (text === null) return still(say(ui, "no command line shows the same as this screen", "bad"));
  return { ui: over(ui, { kind: "cli", text }), effects: [{ kind: "copy", text }] };
}
