/** The command line that shows the same as a screen, or launches the same sweep: what `Y` shows and copies. */
import type { LaunchDraft } from "../../client/sweep/launcher.ts";
import type { Data } from "./mesh-data.ts";
import {
  datasetOf,
  modelOf,
  selectedAccount,
  selectedDatasetVersion,
  selectedSweep,
  selectedTrial,
  selectedVersion,
} from "./list.ts";
import type { Ui } from "./ui.ts";

export function cliLaunch(draft: LaunchDraft): string {
  const flags: readonly (readonly [string, string])[] = [
    ["trials", draft.trials],
    ["seed", draft.seed],
    ["models", draft.models.replaceAll(/\s+/g, "")],
    ["max", draft.max],
    ["budget", draft.budget],
  ];
  const given = flags
    .filter(([, text]) => text.trim() !== "")
    .map(([flag, text]) => ` --${flag} ${text.trim()}`);
  const beyond = draft.beyondBudget === true ? " --beyond-budget" : "";
  return `trialmesh sweep run ${draft.file}${given.join("")}${beyond}`;
}

export function cliInsight(sweep: string): string {
  return `trialmesh sweep insight ${sweep}`;
}

/** What shows on the command line what the screen shows now; null where nothing does. */
export function cliOfScreen(ui: Ui, data: Data): string | null {
  const sweep = selectedSweep(ui, data)?.sweep;
  const trial = selectedTrial(ui, data)?.trial;
  const account = selectedAccount(ui, data)?.requester;
  switch (ui.screen) {
    case "mesh":
      return "trialmesh agents";
    case "sweeps":
      if (sweep === undefined) return "trialmesh sweep ls";
      return `trialmesh sweep ${ui.sweepTab === "why" ? "why" : "show"} ${sweep}`;
    case "trials":
      if (trial === undefined) return "trialmesh sweep ls";
      return `trialmesh trial ${ui.tab === "trial" ? "show" : ui.tab} ${trial}`;
    case "registry": {
      const model = modelOf(ui, data)?.model;
      const version = selectedVersion(ui, data)?.version;
      if (model === undefined) return "trialmesh model ls";
      if (ui.focus === 0 || version === undefined) return `trialmesh model show ${model}`;
      return `trialmesh model lineage ${model}@${version}`;
    }
    case "datasets": {
      const dataset = datasetOf(ui, data)?.dataset;
      const version = selectedDatasetVersion(ui, data)?.version;
      if (dataset === undefined) return "trialmesh dataset ls";
      if (ui.focus === 0 || version === undefined) return `trialmesh dataset show ${dataset}`;
      return `trialmesh dataset profile ${dataset}@${version}`;
    }
    case "budgets":
      return account === undefined ? "trialmesh budget show" : `trialmesh budget history ${account}`;
    case "events":
      return null;
  }
}
