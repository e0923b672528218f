/** The registry as people see it: models, versions, aliases with their ledger, lineage. */
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { LineageView, ModelsView, ModelView } from "../../protocol/view.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { mustGet, type Model, type State, type Version } from "../state/state.ts";
import { originOf } from "../registry/origin.ts";
import { resolveVersion } from "../registry/resolve-version.ts";
import { summaryOf } from "./sweep-answer.ts";
import { trialViewOf } from "./trial-answer.ts";

export function modelsViewOf(state: State): ModelsView {
  return {
    models: [...state.models.values()].flatMap((model) => {
      const latest = model.versions.at(-1);
      if (latest === undefined) return [];
      return [
        {
          model: model.model,
          versions: model.versions.length,
          latest: versionOf(state, latest),
          aliases: aliasesOf(model),
        },
      ];
    }),
  };
}

export function modelViewOf(state: State, model: Model): ModelView {
  return {
    model: model.model,
    versions: model.versions.map((version) => versionOf(state, version)),
    aliases: aliasesOf(model),
    ledger: model.ledger,
  };
}

/** Where a version comes from. `name` is a version number, an alias, `best` or `newest`. */
export function lineageViewOf(
  state: State,
  modelName: string,
  name: number | string,
  settings: CoordinatorSettings,
): Outcome<LineageView> {
  const resolved = resolveVersion(state, modelName, name);
  if (!resolved.ok) return resolved;
  const model = mustGet(state.models, modelName, "model");
  const version = model.versions.find((each) => each.version === resolved.value.version);
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
  });
}

function aliasesOf(model: Model): { alias: string; version: number }[] {
  return Object.entries(model.aliases).map(([alias, version]) => ({ alias, version }));
}

function versionOf(state: State, version: Version): ModelView["versions"][number] {
  const { objective } = mustGet(state.sweeps, version.sweep, "sweep").spec;
  const value = version.metrics[objective.metric];
  return { ...version, params: { ...version.params }, objective, ...(value === undefined ? {} : { value }) };
}
