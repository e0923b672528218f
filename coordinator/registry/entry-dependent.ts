/** REMOVE-4: what stands on versions of a model or a dataset, in words: what runs first, then what serves, then what came of them. */
import type { State, Sweep } from "../state/state.ts";
import { inputsOf } from "../state/sweep-input.ts";
import type { Entry, EntryVersion } from "./find-entry.ts";
import { isLive } from "./live-version.ts";

/** `versions`: those of the entry that go. */
export function dependentsOfEntry(
  state: State,
  entry: Entry,
  versions: readonly EntryVersion[],
  at: number,
): string[] {
  const own = entry.of === "model" ? ofModel(state, entry, versions) : ofDataset(state, entry, versions);
  return [...own, ...pinsOf(state, entry, versions, at)];
}

/** A dataset may have been used a thousand times, and the answer to a command is kept. */
const namedMax = 8;

/** Names with what they are to it; of many how many more there are. */
function named(names: readonly string[], what: string): string[] {
  const more = names.length - namedMax;
  const shown = names.slice(0, namedMax).map((name) => `${name}, ${what}`);
  return more > 0 ? [...shown, `${more} more, ${what}`] : shown;
}

function ofModel(state: State, { name, version }: Entry, versions: readonly EntryVersion[]): string[] {
  const goes = new Set(versions.map((each) => each.version));
  const aliases = Object.entries(state.models.get(name)?.aliases ?? {}).flatMap(([alias, to]) =>
    goes.has(to) ? [`alias ${alias}, which points to version ${to}`] : [],
  );
  // What registers one version more stands on the name alone.
  const coming = version === null ? [...inSight(state)].filter((sweep) => registersInto(sweep, name)) : [];
  return [
    ...named(
      coming.map(({ sweep }) => sweep),
      "which runs and registers into it",
    ),
    ...deploymentsOf(state, name, goes),
    ...aliases,
  ];
}

/** It goes on with what it has, whose bytes are kept for it. */
function deploymentsOf(state: State, model: string, goes: ReadonlySet<number>): string[] {
  return [...state.deployments.values()].flatMap(({ deployment, stopped, versions }) =>
    versions.flatMap((each) =>
      stopped === undefined && each.model === model && goes.has(each.version)
        ? [`deployment ${deployment}, which answers with version ${each.version}`]
        : [],
    ),
  );
}

function registersInto({ finishedAt, spec }: Sweep, model: string): boolean {
  return finishedAt === null && spec.register?.model === model;
}

function ofDataset(state: State, { name }: Entry, versions: readonly EntryVersion[]): string[] {
  const goes = new Set(versions.map(({ digests: [digest] }) => digest));
  const [running, models, built, ended]: [string[], string[], string[], string[]] = [[], [], [], []];
  for (const { finishedAt, spec, sweep } of inSight(state))
    if (spec.dataset?.name === name && goes.has(spec.dataset.digest))
      (finishedAt === null ? running : ended).push(sweep);
  for (const { model, versions: of } of state.models.values())
    for (const { dataset, version } of of.filter(isLive))
      if (dataset?.name === name && goes.has(dataset.digest)) models.push(`model ${model}@${version}`);
  for (const { dataset, versions: of } of state.datasets.values())
    for (const { digest, trial, version } of of.filter(isLive)) {
      if (goes.has(digest)) continue;
      const sweep = trial === null ? undefined : state.trials.get(trial)?.sweep;
      const inputs = sweep === undefined ? [] : inputsOf(state.sweeps.get(sweep));
      if (inputs.some((input) => goes.has(input))) built.push(`dataset ${dataset}@${version}`);
    }
  return [
    ...named(running, "which runs on it"),
    ...named(models, "trained on it"),
    ...named(built, "built from it"),
    // The last first.
    ...named(ended.toReversed(), "which ran on it"),
  ];
}

/** A sweep that is out of sight itself is nobody's loss. */
function* inSight(state: State): Iterable<Sweep> {
  for (const sweep of state.sweeps.values()) if (sweep.removed === undefined) yield sweep;
}

function pinsOf(state: State, entry: Entry, versions: readonly EntryVersion[], at: number): string[] {
  const pins = versions.flatMap(({ digests: [digest], version }) => {
    const pin = state.pins.get(digest);
    if (pin === undefined || (pin.until !== undefined && pin.until <= at)) return [];
    return [`a pin by ${pin.by}${entry.version === null ? ` of version ${version}` : ""}`];
  });
  return named(pins, "which keeps the bytes");
}
