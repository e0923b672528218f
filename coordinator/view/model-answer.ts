/** The registry as people see it: models, versions, aliases with their ledger, lineage. */
import type { QueryBody } from "../../protocol/command.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { LineageView, ModelsView, ModelView } from "../../protocol/view.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { mustGet, type Model, type State, type Sweep, type Version } from "../state/state.ts";
import { originOf } from "../registry/origin.ts";
import { findEntry } from "../registry/find-entry.ts";
import { liveNames, liveVersions } from "../registry/live-version.ts";
import { labelsOf, removedText } from "./label-answer.ts";
import { summaryOf } from "./sweep-answer.ts";
import { trialViewOf } from "./trial-answer.ts";

/** `removed`: also those that were removed. */
export function modelsViewOf(state: State, removed: boolean): ModelsView {
  return {
    models: [...state.models.values()].flatMap((model) => {
      const live = liveVersions(model);
      const latest = live.at(-1) ?? (removed ? model.versions.at(-1) : undefined);
      if (latest === undefined) return [];
      return [
        {
          model: model.model,
          versions: live.length,
          latest: listedVersion(state, latest),
          aliases: aliasesOf(model),
          ...labelsOf(model),
        },
      ];
    }),
  };
}

export function modelViewOf(state: State, { model: name, removed }: QueryBody<"model">): Outcome<ModelView> {
  const model = state.models.get(name);
  const known = removed ? [...state.models.keys()] : liveNames(state.models);
  if (model === undefined)
    return refuse("unknown", `there is no model ${name}; ${suggestion(name, known)}`, ["model"]);
  const versions = removed ? model.versions : liveVersions(model);
  if (versions.length === 0) return refuse("unknown", removedText("model", name), ["model"]);
  return accept({
    model: name,
    versions: versions.map((version) => listedVersion(state, version)),
    aliases: aliasesOf(model),
    ledger: model.ledger,
    ...labelsOf(model),
  });
}

/** Where a version comes from. `name` is a version number, an alias, `best` or `newest`. */
export function lineageViewOf(
  state: State,
  modelName: string,
  name: number | string,
  settings: CoordinatorSettings,
): Outcome<LineageView> {
  // By its number also one that was removed: its record stays.
  const found = findEntry(state, { of: "model", name: modelName, version: name });
  if (!found.ok) return found;
  const model = mustGet(state.models, modelName, "model");
  const version = model.versions.find((each) => each.version === found.value.version);
  if (version === undefined) throw new Error(`broken invariant: ${modelName} lost a version it resolved to`);
  const trial = mustGet(state.trials, version.trial, "trial");
  const origin = originOf(state, trial);
  return accept({
    model: modelName,
    version: versionOf(state, version),
    aliases: Object.keys(model.aliases).filter((alias) => model.aliases[alias] === version.version),
    trial: trialViewOf(state, trial),
    sweep: summaryOf(state, mustGet(state.sweeps, version.sweep, "sweep"), settings),
    origin: origin === trial ? null : trialViewOf(state, origin),
    ...servingOf(mustGet(state.sweeps, version.sweep, "sweep").spec),
  });
}

function servingOf({ program: declared }: Sweep["spec"]): Pick<LineageView, "serving"> {
  if (declared?.kind !== "command" || declared.serve === undefined || declared.output === undefined)
    return {};
  const { bundle, environment, output, program, serve } = declared;
  return { serving: { command: [...serve], bundle, output, program, environment: { ...environment } } };
}

function aliasesOf(model: Model): { alias: string; version: number }[] {
  return Object.entries(model.aliases).map(([alias, version]) => ({ alias, version }));
}

/** One of many in a message: without what only whoever uses it needs. */
function listedVersion(state: State, version: Version): ModelView["versions"][number] {
  const { example: _, ...listed } = versionOf(state, version);
  return listed;
}

function versionOf(state: State, version: Version): ModelView["versions"][number] {
  const { objective } = mustGet(state.sweeps, version.sweep, "sweep").spec;
  const value = version.metrics[objective.metric];
  return { ...version, params: { ...version.params }, objective, ...(value === undefined ? {} : { value }) };
}
