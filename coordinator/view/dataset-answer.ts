/** Datasets as people see them: versions, who added them, and what was trained on each. */
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { DatasetsView, DatasetView } from "../../protocol/dataset-view.ts";
import type { State } from "../state/state.ts";

const usesMax = 50;

export function datasetsViewOf(state: State): DatasetsView {
  return {
    datasets: [...state.datasets.values()].flatMap(({ dataset, versions }) => {
      const latest = versions.at(-1);
      return latest === undefined ? [] : [{ dataset, versions: versions.length, latest }];
    }),
  };
}

export function datasetViewOf(state: State, name: string): Outcome<DatasetView> {
  const record = state.datasets.get(name);
  if (record === undefined) {
    const hint = suggestion(name, state.datasets.keys());
    return refuse("unknown", `there is no dataset ${name}; ${hint}`, ["dataset"]);
  }
  const { dataset, versions } = record;
  const numberOf = new Map(versions.map(({ digest, version }) => [digest, version]));
  const uses = [...state.sweeps.values()].toReversed().flatMap(({ registered, spec, sweep }) => {
    const version = spec.dataset?.name === name ? numberOf.get(spec.dataset.digest) : undefined;
    if (version === undefined) return [];
    return [
      { version, sweep, models: registered === null ? [] : [`${registered.model}@${registered.version}`] },
    ];
  });
  return accept({ dataset, versions, uses: uses.slice(0, usesMax) });
}
