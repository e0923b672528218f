/**
 * The rows of each list, filtered and ordered, and which of them is selected. The one place where what is
 * asked of the mesh (`wanted`) and what is shown of it meet.
 */
import type { DatasetsView, DatasetVersionView, DatasetView } from "../../protocol/dataset-view.ts";
import type {
  AgentView,
  BudgetView,
  EventsView,
  LedgerLineView,
  MeshView,
  ModelView,
  ModelsView,
  SweepSummary,
  SweepView,
  TrialView,
  VersionView,
} from "../../protocol/view.ts";
import { formatParams } from "../../text/shown-parameter.ts";
import { answerTo, want, type Data, type Want } from "./mesh-data.ts";
import {
  agentFields,
  datasetFields,
  modelFields,
  sweepFields,
  trialFields,
} from "../../client/list/list-field.ts";
import { filtered } from "./filter.ts";
import type { ListName, Selection, Ui } from "./ui.ts";

export type AccountView = BudgetView["accounts"][number];
export type ModelRow = ModelsView["models"][number];
export type DatasetRow = DatasetsView["datasets"][number];
export type EventRow = EventsView["events"][number] & { readonly key: string };

const sweepsMax = 200;
/** Best first; a few hundred kilobytes at most, under the size of one message. */
const trialsMax = 300;
const eventsMax = 500;
const ledgerLinesMax = 200;
/** As many as one answer has. */
const logLinesMax = 2_000;

export const meshWant = want("mesh", {});
export const sweepsWant = want("sweeps", { limit: sweepsMax });
export const sweepWant = (sweep: string) => want("sweep", { sweep, order: "best", limit: trialsMax });
export const modelsWant = want("models", {});
export const deploymentsWant = want("deployments", {});
/** With what was removed, which says so. */
export const modelWant = (model: string) => want("model", { model, removed: true });
export const lineageWant = (model: string, version: number) => want("lineage", { model, version });
/** Who holds an artifact changes seldom, and the mesh's store is asked for it. */
export const holdersWant = (digest: string) => ({ ...want("holders", { digests: [digest] }), calm: true });
export const datasetsWant = want("datasets", {});
export const datasetWant = (dataset: string) => want("dataset", { dataset, removed: true });
export const budgetWant = want("budget", { lines: ledgerLinesMax });
export const eventsWant = want("events", { limit: eventsMax });
export const curveWant = (trial: string) => want("curve", { trial });
export const whyWant = (trial: string) => want("why", { trial });
export const sweepWhyWant = (sweep: string) => want("sweep-why", { sweep });
export const insightWant = (sweep: string) => want("insight", { sweep });
export const logsWant = (trial: string) => want("logs", { trial, limit: logLinesMax });

export function meshOf(data: Data): MeshView | null {
  return answerTo(data, meshWant);
}

/** The leader's time of the newest answer: ages are counted from it, so they stand still when the data does. */
export function presentOf(data: Data): number | null {
  return meshOf(data)?.at ?? null;
}

export function agentsOf(ui: Ui, data: Data): readonly AgentView[] {
  const filter = ui.screen === "mesh" ? ui.filters.mesh : "";
  const fieldsOf = (each: AgentView) => ({
    agent: each.agent,
    state: each.state,
    os: each.host.os,
    cpu: each.host.cpuModel,
    gpu: each.host.gpus.map((gpu) => `${gpu.vendor} ${gpu.model}`).join(" "),
    backend: each.backends
      .filter((backend) => backend.works)
      .map((backend) => backend.name)
      .join(" "),
  });
  return filtered(meshOf(data)?.agents ?? [], filter, fieldsOf, agentFields);
}

export function sweepsOf(ui: Ui, data: Data): readonly SweepSummary[] {
  const filter = ui.screen === "sweeps" ? ui.filters.sweeps : "";
  const fieldsOf = (each: SweepSummary) => ({
    sweep: each.sweep,
    name: each.name,
    requester: each.requester,
    task: each.task,
    state: each.state,
  });
  return filtered(answerTo(data, sweepsWant)?.sweeps ?? [], filter, fieldsOf, sweepFields).toSorted(
    (a, b) => b.submittedAt - a.submittedAt,
  );
}

export function sweepOf(ui: Ui, data: Data): SweepView | null {
  const chosen = selectedRow(ui.selections.sweeps, sweepsOf(ui, data), (each) => each.sweep);
  return chosen === null ? null : answerTo(data, sweepWant(chosen.sweep));
}

export function trialsOf(ui: Ui, data: Data): readonly TrialView[] {
  const filter = ui.screen === "trials" ? ui.filters.trials : "";
  const sweep = sweepOf(ui, data);
  const fieldsOf = (each: TrialView) => ({
    trial: each.trial,
    model: each.model,
    state: each.state,
    agent: each.attempts.at(-1)?.agent ?? "",
    params: formatParams(each.params),
  });
  return sweep === null ? [] : filtered(sweep.trials, filter, fieldsOf, trialFields(sweep));
}

export function modelsOf(ui: Ui, data: Data): readonly ModelRow[] {
  const fieldsOf = (each: ModelRow) => ({
    model: each.model,
    alias: each.aliases.map((alias) => alias.alias).join(" "),
    task: each.latest.task,
    tag: each.tags?.join(" ") ?? "",
  });
  return filtered(answerTo(data, modelsWant)?.models ?? [], ui.filters.registry, fieldsOf, modelFields);
}

export function modelOf(ui: Ui, data: Data): ModelView | null {
  const chosen = selectedRow(ui.selections.models, modelsOf(ui, data), (each) => each.model);
  return chosen === null ? null : answerTo(data, modelWant(chosen.model));
}

/** Newest first. */
export function versionsOf(ui: Ui, data: Data): readonly VersionView[] {
  return (modelOf(ui, data)?.versions ?? []).toSorted((a, b) => b.version - a.version);
}

export function datasetsOf(ui: Ui, data: Data): readonly DatasetRow[] {
  const fieldsOf = (each: DatasetRow) => ({
    dataset: each.dataset,
    kind: each.latest.kind,
    tag: each.tags?.join(" ") ?? "",
  });
  return filtered(answerTo(data, datasetsWant)?.datasets ?? [], ui.filters.datasets, fieldsOf, datasetFields);
}

export function datasetOf(ui: Ui, data: Data): DatasetView | null {
  const chosen = selectedDataset(ui, data);
  return chosen === null ? null : answerTo(data, datasetWant(chosen));
}

function selectedDataset(ui: Ui, data: Data): string | null {
  return selectedRow(ui.selections.datasets, datasetsOf(ui, data), (each) => each.dataset)?.dataset ?? null;
}

/** Newest first. */
export function datasetVersionsOf(ui: Ui, data: Data): readonly DatasetVersionView[] {
  return (datasetOf(ui, data)?.versions ?? []).toSorted((a, b) => b.version - a.version);
}

export function accountsOf(ui: Ui, data: Data): readonly AccountView[] {
  const fieldsOf = ({ requester }: AccountView) => ({ requester });
  return filtered(answerTo(data, budgetWant)?.accounts ?? [], ui.filters.budgets, fieldsOf);
}

/** The selected account's statement, newest first. */
export function linesOf(ui: Ui, data: Data): readonly LedgerLineView[] {
  const chosen = selectedRow(ui.selections.accounts, accountsOf(ui, data), (each) => each.requester);
  return (chosen?.lines ?? []).toSorted((a, b) => b.at - a.at);
}

/** Newest first: what happened at once, in one batch, is answered oldest first as all else is. */
export function eventsOf(ui: Ui, data: Data): readonly EventRow[] {
  const filter = ui.screen === "events" ? ui.filters.events : "";
  let [batch, place] = [0, 0];
  const fieldsOf = ({ kind, text }: EventRow) => ({ kind, text });
  const rows = (answerTo(data, eventsWant)?.events ?? []).toReversed().map((each) => {
    // Counted from its newest: of the oldest batch that is answered a part may be missing.
    [batch, place] = [each.sequence, each.sequence === batch ? place + 1 : 0];
    return { ...each, key: `${batch}.${place}` };
  });
  return filtered(rows, filter, fieldsOf);
}

/** The name of every row of a list, in its order. */
export function keysOf(list: ListName, ui: Ui, data: Data): readonly string[] {
  switch (list) {
    case "agents":
      return agentsOf(ui, data).map((each) => each.agent);
    case "sweeps":
      return sweepsOf(ui, data).map((each) => each.sweep);
    case "trials":
      return trialsOf(ui, data).map((each) => each.trial);
    case "models":
      return modelsOf(ui, data).map((each) => each.model);
    case "versions":
      return versionsOf(ui, data).map((each) => String(each.version));
    case "datasets":
      return datasetsOf(ui, data).map((each) => each.dataset);
    case "datasetVersions":
      return datasetVersionsOf(ui, data).map((each) => String(each.version));
    case "accounts":
      return accountsOf(ui, data).map((each) => each.requester);
    case "lines":
      return linesOf(ui, data).map((_, index, all) => String(all.length - index));
    case "events":
      return eventsOf(ui, data).map(({ key }) => key);
  }
}

/** Where the selection stands now: by name, else where it was; -1 in an empty list. */
export function selectedIndex(selection: Selection, keys: readonly string[]): number {
  const at = selection.key === null ? -1 : keys.indexOf(selection.key);
  return at >= 0 ? at : Math.min(selection.index, keys.length - 1);
}

export function selectedRow<Row>(
  selection: Selection,
  rows: readonly Row[],
  key: (row: Row) => string,
): Row | null {
  return rows[selectedIndex(selection, rows.map(key))] ?? null;
}

export function selectedAgent(ui: Ui, data: Data): AgentView | null {
  return selectedRow(ui.selections.agents, agentsOf(ui, data), (each) => each.agent);
}
export function selectedSweep(ui: Ui, data: Data): SweepSummary | null {
  return selectedRow(ui.selections.sweeps, sweepsOf(ui, data), (each) => each.sweep);
}
export function selectedTrial(ui: Ui, data: Data): TrialView | null {
  return selectedRow(ui.selections.trials, trialsOf(ui, data), (each) => each.trial);
}
export function selectedVersion(ui: Ui, data: Data): VersionView | null {
  return selectedRow(ui.selections.versions, versionsOf(ui, data), (each) => String(each.version));
}
export function selectedDatasetVersion(ui: Ui, data: Data): DatasetVersionView | null {
  return selectedRow(ui.selections.datasetVersions, datasetVersionsOf(ui, data), (each) =>
    String(each.version),
  );
}
export function selectedAccount(ui: Ui, data: Data): AccountView | null {
  return selectedRow(ui.selections.accounts, accountsOf(ui, data), (each) => each.requester);
}

/** What the visible screen needs, and nothing else: this is all that is polled. */
export function wanted(ui: Ui, data: Data): readonly Want[] {
  const wants: Want[] = [meshWant];
  const trial = selectedTrial(ui, data);
  // It changes with every finished trial at most, and costs the leader more than other answers.
  if (ui.overlay?.kind === "insight") wants.push({ ...insightWant(ui.overlay.sweep), calm: true });
  switch (ui.screen) {
    case "mesh":
      wants.push(eventsWant);
      break;
    case "sweeps":
    case "trials": {
      wants.push(sweepsWant);
      const sweep = selectedSweep(ui, data);
      if (sweep === null) break;
      const shown = answerTo(data, sweepWant(sweep.sweep));
      const ended = shown !== null && shown.summary.finishedAt !== null;
      wants.push({ ...sweepWant(sweep.sweep), calm: ended });
      if (ui.screen === "sweeps" && ui.sweepTab === "why")
        wants.push({ ...sweepWhyWant(sweep.sweep), calm: ended });
      if (trial === null) break;
      const calm = trial.state !== "running";
      if (ui.screen === "sweeps" || ui.tab === "trial") wants.push({ ...curveWant(trial.trial), calm });
      else wants.push(ui.tab === "why" ? whyWant(trial.trial) : { ...logsWant(trial.trial), calm });
      break;
    }
    case "registry": {
      wants.push(modelsWant, deploymentsWant);
      const model = selectedRow(ui.selections.models, modelsOf(ui, data), (each) => each.model)?.model;
      if (model === undefined) break;
      wants.push(modelWant(model));
      const version = selectedVersion(ui, data);
      if (version !== null) wants.push(lineageWant(model, version.version), holdersWant(version.artifact));
      break;
    }
    case "datasets": {
      wants.push(datasetsWant);
      const dataset = selectedDataset(ui, data);
      if (dataset === null) break;
      wants.push(datasetWant(dataset));
      const version = selectedDatasetVersion(ui, data);
      if (version !== null) wants.push(holdersWant(version.digest));
      break;
    }
    case "budgets":
      wants.push(budgetWant);
      break;
    case "events":
      wants.push(eventsWant);
      break;
  }
  return wants;
}
