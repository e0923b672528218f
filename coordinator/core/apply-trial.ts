/** Applies the events of sweeps and trials: proposals, promotions, pauses, outcomes. */
import type { TrialState } from "../../protocol/view.ts";
import { enterRung, sweepOf, trialOf } from "./entity.ts";
import type { Event } from "./event.ts";
import { recipeText } from "./key.ts";
import { fullLength, improves } from "./objective.ts";
import { mustGet, type State, type Sweep, type Trial } from "./state.ts";

export type TrialEvent = Extract<
  Event,
  {
    kind:
      | "SweepSubmitted"
      | "SweepStopping"
      | "SweepExhausted"
      | "SweepFinished"
      | "TrialProposed"
      | "TrialReused"
      | "TrialPromoted"
      | "TrialPaused"
      | "TrialRequeued"
      | "TrialFinished";
  }
>;

export function applyTrial(state: State, event: TrialEvent, at: number): void {
  switch (event.kind) {
    case "SweepSubmitted":
      return submit(state, event, at);
    case "SweepStopping":
      sweepOf(state, event.sweep).state = "stopping";
      return;
    case "SweepExhausted": {
      const sweep = sweepOf(state, event.sweep);
      sweep.exhausted = true;
      sweep.draws = event.draws;
      return;
    }
    case "SweepFinished":
      return finishSweep(state, event.sweep, at);
    case "TrialProposed":
      return propose(state, event);
    case "TrialReused":
      return reuse(state, event.trial, event.from);
    case "TrialPromoted": {
      const trial = trialOf(state, event.trial);
      trial.target = event.target;
      enqueue(state, trial, "front");
      return;
    }
    case "TrialPaused":
      return move(state, trialOf(state, event.trial), "paused");
    case "TrialRequeued": {
      const trial = trialOf(state, event.trial);
      if (event.blame) trial.retries++;
      enqueue(state, trial, "front");
      return;
    }
    case "TrialFinished":
      return finishTrial(state, event, at);
  }
}

function submit(state: State, event: Extract<Event, { kind: "SweepSubmitted" }>, at: number): void {
  const text = recipeText(event.spec);
  let recipe = state.recipes.get(text);
  if (recipe === undefined) {
    recipe = state.meta.nextRecipe++;
    state.recipes.set(text, recipe);
    state.dirty.add(`recipe/${recipe}`);
  }
  state.sweeps.set(event.sweep, {
    sweep: event.sweep,
    requester: event.requester,
    spec: event.spec,
    recipe,
    total: event.total,
    proposed: 0,
    draws: 0,
    exhausted: false,
    state: "running",
    counts: { queued: 0, running: 0, paused: 0, completed: 0, stopped: 0, failed: 0, cancelled: 0 },
    reused: 0,
    ready: [],
    spent: 0,
    pending: 0,
    typicalCost: null,
    savedByReuse: 0,
    savedByStopping: 0,
    best: null,
    bestSoFar: [],
    submittedAt: at,
    finishedAt: null,
    registered: null,
  });
  state.dirty.add(`sweep/${event.sweep}`);
  state.meta.nextSweep++;
  openSweep(state, event.requester, event.sweep);
}

export function openSweep(state: State, requester: string, sweep: string): void {
  const open = state.open.get(requester) ?? [];
  open.push(sweep);
  state.open.set(requester, open);
  state.keys.set(sweep, new Set());
  state.rungs.set(sweep, new Map());
}

function finishSweep(state: State, id: string, at: number): void {
  const sweep = sweepOf(state, id);
  sweep.state = sweep.state === "stopping" ? "stopped" : "done";
  sweep.finishedAt = at;
  const open = mustGet(state.open, sweep.requester, "open sweeps of").filter((other) => other !== id);
  if (open.length === 0) state.open.delete(sweep.requester);
  else state.open.set(sweep.requester, open);
  state.keys.delete(id);
  state.rungs.delete(id);
}

function propose(state: State, event: Extract<Event, { kind: "TrialProposed" }>): void {
  const sweep = sweepOf(state, event.sweep);
  sweep.proposed++;
  sweep.draws = event.draws;
  sweep.counts.queued++;
  sweep.ready.push(event.trial);
  state.trials.set(event.trial, {
    trial: event.trial,
    sweep: event.sweep,
    number: event.number,
    model: event.model,
    params: event.params,
    key: event.key,
    state: "queued",
    checkpoint: null,
    checkpointBytes: 0,
    target: event.target,
    rungs: [],
    value: null,
    metrics: {},
    attempts: [],
    retries: 0,
    reusedFrom: null,
    failure: null,
    spent: 0,
    record: false,
  });
  state.dirty.add(`trial/${event.trial}`);
  mustGet(state.keys, event.sweep, "keys of").add(event.key);
}

/** The whole outcome is taken over; what the origin cost is what reuse has saved. */
function reuse(state: State, id: string, from: string): void {
  const trial = trialOf(state, id);
  const origin = mustGet(state.trials, from, "trial");
  const sweep = sweepOf(state, trial.sweep);
  trial.reusedFrom = from;
  trial.checkpoint = origin.checkpoint;
  trial.checkpointBytes = origin.checkpointBytes;
  trial.target = origin.target;
  trial.rungs = origin.rungs.map((rung) => ({ ...rung }));
  trial.value = origin.value;
  trial.metrics = origin.metrics;
  for (const rung of trial.rungs) enterRung(state, trial, rung.resource);
  sweep.reused++;
  sweep.savedByReuse += origin.spent;
}

function finishTrial(state: State, event: Extract<Event, { kind: "TrialFinished" }>, at: number): void {
  const trial = trialOf(state, event.trial);
  if (isFinal(trial.state)) throw new Error(`broken invariant: ${trial.trial} has two outcomes`);
  const sweep = sweepOf(state, trial.sweep);
  move(state, trial, event.outcome);
  if (event.outcome === "failed" || event.outcome === "cancelled") {
    trial.failure = event.why;
    return;
  }
  if (trial.reusedFrom === null && !state.records.has(trial.key)) {
    trial.record = true;
    state.records.set(trial.key, trial.trial);
  }
  if (event.outcome === "stopped") sweep.savedByStopping += costOfTheRest(trial, fullLength(sweep.spec));
  noteBest(sweep, trial, at);
}

/** What the epochs not trained would have cost at this trial's own price per epoch. */
function costOfTheRest(trial: Trial, full: number): number {
  const reached = trial.checkpoint?.resource ?? 0;
  return reached === 0 ? 0 : Math.round((trial.spent / reached) * (full - reached));
}

function noteBest(sweep: Sweep, trial: Trial, at: number): void {
  if (trial.value === null) return;
  const resource = trial.rungs.at(-1)?.resource ?? 0;
  if (!improves(sweep, { value: trial.value, resource })) return;
  sweep.best = { trial: trial.trial, model: trial.model, value: trial.value, resource };
  const { completed, stopped } = sweep.counts;
  sweep.bestSoFar.push({ trials: completed + stopped, spent: sweep.spent, at, value: trial.value });
}

export function isFinal(state: TrialState): boolean {
  return state === "completed" || state === "stopped" || state === "failed" || state === "cancelled";
}

/** Moves a trial to another state and keeps its sweep's counts and ready list in step. */
export function move(state: State, trial: Trial, to: TrialState): void {
  const sweep = sweepOf(state, trial.sweep);
  if (trial.state === "queued") {
    // Trials are placed in order, so it is nearly always the first.
    const place = sweep.ready.indexOf(trial.trial);
    if (place >= 0) sweep.ready.splice(place, 1);
  }
  sweep.counts[trial.state]--;
  sweep.counts[to]++;
  trial.state = to;
}

export function enqueue(state: State, trial: Trial, where: "front" | "back"): void {
  move(state, trial, "queued");
  const sweep = sweepOf(state, trial.sweep);
  if (where === "front") sweep.ready.unshift(trial.trial);
  else sweep.ready.push(trial.trial);
}
