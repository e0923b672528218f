/** Applies the registry's events: a version is recorded once, an alias moves through its ledger. */
import type { Event, EventOf } from "../format/event.ts";
import { noteBrought } from "./apply-artifact.ts";
import { sweepOf } from "./entity.ts";
import { setLabels } from "./set-label.ts";
import { keptOf } from "../state/kept-of.ts";
import {
  mustGet,
  type Attempt,
  type DatasetRecord,
  type Model,
  type State,
  type Trial,
} from "../state/state.ts";

export type RegistryEvent = Extract<
  Event,
  {
    kind:
      | "DatasetAdded"
      | "DatasetChecked"
      | "ModelRegistered"
      | "AliasMoved"
      | "AliasKept"
      | "EntryLabelled"
      | "VersionsRemoved"
      | "VersionsRestored";
  }
>;

export function applyRegistry(state: State, event: RegistryEvent, at: number): void {
  if (event.kind === "DatasetAdded") return addVersion(state, event, at);
  if (event.kind === "DatasetChecked") {
    const { check, dataset, version } = event;
    const found = mustGet(state.datasets, dataset, "dataset").versions.find(
      (each) => each.version === version,
    );
    if (found !== undefined) found.check = check;
    state.dirty.add(`dataset/${dataset}`);
    return;
  }
  if (event.kind === "EntryLabelled") return label(state, event, at);
  if (event.kind === "VersionsRemoved" || event.kind === "VersionsRestored")
    return setRemoved(state, event, at);
  const model = modelOf(state, event.model);
  switch (event.kind) {
    case "ModelRegistered":
      return register(state, model, event, at);
    case "AliasKept": {
      const { alias, stays, version, why } = event;
      const sweep = sweepOf(state, event.sweep);
      const registered = sweep.registered ?? { model: event.model, version, alias: null };
      sweep.registered = { ...registered, kept: { alias, stays, why } };
      return;
    }
    case "AliasMoved": {
      const { alias, from, to, who, why, how } = event;
      model.aliases[alias] = to;
      model.ledger.push({ alias, from, to, who, why, kind: how, at });
      if (how === "register") {
        const newest = model.versions.at(-1);
        if (newest !== undefined) {
          const sweep = sweepOf(state, newest.sweep);
          if (sweep.registered?.version === to) sweep.registered.alias = alias;
        }
      }
      return;
    }
  }
}

function addVersion(state: State, event: EventOf<"DatasetAdded">, at: number): void {
  const { by, content, version } = event;
  noteBrought(state, content.digest);
  noteBrought(state, content.recipe);
  const { dataset } = content;
  let record = state.datasets.get(dataset);
  if (record === undefined) {
    record = { dataset, versions: [] };
    state.datasets.set(dataset, record);
  }
  record.versions.push({ ...content, version, by, at });
  state.dirty.add(`dataset/${dataset}`);
}

/** What is on record under a name; its entity is about to change. */
function recordOf(state: State, of: "dataset" | "model", name: string): DatasetRecord | Model {
  state.dirty.add(`${of}/${name}`);
  return of === "model" ? mustGet(state.models, name, "model") : mustGet(state.datasets, name, "dataset");
}

function label(state: State, event: EventOf<"EntryLabelled">, at: number): void {
  const { example, measured, name, of, version } = event;
  const record = recordOf(state, of, name);
  const labelled = version === undefined ? record : record.versions.find((each) => each.version === version);
  if (labelled === undefined) throw new Error(`broken invariant: ${name} has no version ${version}`);
  setLabels(labelled, event);
  if (!("artifact" in labelled)) return;
  if (example !== undefined) labelled.example = example;
  if (measured !== undefined) labelled.measured = { ...measured, at };
}

function setRemoved(
  state: State,
  event: EventOf<"VersionsRemoved"> | EventOf<"VersionsRestored">,
  at: number,
): void {
  for (const version of recordOf(state, event.of, event.name).versions) {
    if (!event.versions.includes(version.version)) continue;
    if (event.kind === "VersionsRestored") delete version.removed;
    else version.removed = { by: event.by, why: event.why, at };
  }
}

function modelOf(state: State, name: string): Model {
  let model = state.models.get(name);
  if (model === undefined) {
    model = { model: name, versions: [], aliases: {}, ledger: [] };
    state.models.set(name, model);
  }
  state.dirty.add(`model/${name}`);
  return model;
}

function register(state: State, model: Model, event: EventOf<"ModelRegistered">, at: number): void {
  const sweep = sweepOf(state, event.sweep);
  const trial = mustGet(state.trials, event.trial, "trial");
  const origin = mustGet(state.trials, event.origin, "trial");
  const kept = keptOf(trial);
  const attempt = attemptOf(state, origin);
  if (kept === null || attempt === undefined) {
    throw new Error(`broken invariant: ${trial.trial} is registered without an artifact`);
  }
  model.versions.push({
    version: event.version,
    artifact: kept.digest,
    bytes: kept.bytes,
    metrics: kept.metrics,
    params: trial.params,
    model: trial.model,
    task: sweep.spec.task,
    sweep: sweep.sweep,
    trial: trial.trial,
    ...(kept.resource === trial.checkpoint?.resource ? {} : { epoch: kept.resource }),
    fence: attempt.fence,
    agent: attempt.agent,
    backend: attempt.backend,
    dataset: sweep.spec.dataset,
    codeVersion: sweep.spec.codeVersion,
    spent: origin.spent,
    at,
    requester: sweep.requester,
  });
  sweep.registered = { model: model.model, version: event.version, alias: null };
}

/** The attempt that trained what is registered; a trial that goes on from a shorter run may owe it to that one. */
function attemptOf(state: State, origin: Trial): Attempt | undefined {
  let trial = origin;
  for (;;) {
    const found = trial.attempts.find(({ fence }) => fence === trial.best?.fence);
    if (found !== undefined) return found;
    if (trial.resumes === null || trial.best === undefined) return origin.attempts.at(-1);
    trial = mustGet(state.trials, trial.resumes, "trial");
  }
}
