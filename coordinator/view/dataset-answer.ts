/** Datasets as people see them: versions, who added them, and what was trained on each. */
import type { QueryBody } from "../../protocol/command.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { DatasetsView, DatasetView } from "../../protocol/dataset-view.ts";
import { liveNames, liveVersions } from "../registry/live-version.ts";
import type { State } from "../state/state.ts";
import { labelsOf, removedText } from "./label-answer.ts";

const usesMax = 50;

/** `removed`: also those that were removed. */
export function datasetsViewOf(state: State, removed: boolean): DatasetsView {
  return {
    datasets: [...state.datasets.values()].flatMap((record) => {
      const live = liveVersions(record);
      const latest = live.at(-1) ?? (removed ? record.versions.at(-1) : undefined);
      if (latest === undefined) return [];
      return [{ dataset: record.dataset, versions: live.length, latest, ...labelsOf(record) }];
    }),
  };
}

export function datasetViewOf(
  state: State,
  { dataset: name, removed }: QueryBody<"dataset">,
): Outcome<DatasetView> {
  const record = state.datasets.get(name);
  if (record === undefined) {
    const known = removed ? [...state.datasets.keys()] : liveNames(state.datasets);
    return refuse("unknown", `there is no dataset ${name}; ${suggestion(name, known)}`, ["dataset"]);
  }
  const versions = removed ? record.versions : liveVersions(record);
  if (versions.length === 0) return refuse("unknown", removedText("dataset", name), ["dataset"]);
  const numberOf = new Map(versions.map(({ digest, version }) => [digest, version]));
  const uses = [...state.sweeps.values()].toReversed().flatMap(({ registered, spec, sweep }) => {
    const version = spec.dataset?.name === name ? numberOf.get(spec.dataset.digest) : undefined;
    if (version === undefined) return [];
    return [
      { version, sweep, models: registered === null ? [] : [`${registered.model}@${registered.version}`] },
    ];
  });
  return accept({ dataset: name, versions, uses: uses.slice(0, usesMax), ...labelsOf(record) });
}
