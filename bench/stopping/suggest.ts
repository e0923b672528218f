/** Puts a sampler that learns in front of the core's random one: same trial, other parameters. */
import type { Event } from "../../coordinator/core/event.ts";
import { trialKey } from "../../coordinator/core/key.ts";
import { mustGet, type State, type Trial } from "../../coordinator/core/state.ts";
import type { Told } from "../../coordinator/search/ask.ts";
import { samplerNamed } from "../../coordinator/search/choose-sampler.ts";
import type { Lane } from "./lane.ts";

type Proposed = Extract<Event, { kind: "TrialProposed" }>;

export function suggestInstead(name: Lane["sampler"], state: State, event: Proposed, seed: number): Proposed {
  if (name === "random") return event;
  const sweep = mustGet(state.sweeps, event.sweep, "sweep");
  const [model] = sweep.spec.models;
  if (model === undefined) throw new Error("a sweep without models");
  const { space, where } = model;
  const keys = mustGet(state.keys, event.sweep, "keys of");
  const sampler = samplerNamed(name);
  if (sampler === null) throw new Error(`there is no sampler ${name}`);
  const answer = sampler.ask({
    problem: { space, where, seed, trials: Infinity, objectives: 1 },
    position: sweep.proposed,
    count: 1,
    history: () => [...state.trials.values()].map(toldOf),
    isKnown: (params) => keys.has(trialKey(sweep.recipe, event.model, params)),
  });
  const params = answer.suggestions[0]?.params ?? event.params;
  return { ...event, params, key: trialKey(sweep.recipe, event.model, params) };
}

/** Losses are smaller the better, as samplers want it. */
function toldOf(trial: Trial): Told {
  const last = trial.rungs.at(-1);
  const told = {
    number: trial.number,
    params: trial.params,
    values: last === undefined ? null : [last.value],
    resource: last?.resource ?? 0,
    rungs: trial.rungs,
  };
  switch (trial.state) {
    case "completed":
    case "failed":
      return { ...told, state: trial.state };
    case "stopped":
    case "cancelled":
    case "paused":
      return { ...told, state: "stopped" };
    case "queued":
    case "running":
      return { ...told, state: "pending" };
  }
}
