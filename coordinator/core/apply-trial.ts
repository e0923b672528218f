/**
 * Applies the events of sweeps and trials: proposals, promotions, pauses, outcomes. Which trial is the best, what was saved and
 * what makes two trials the same stands in the events.
 */
import type { TrialState } from "../../protocol/life.ts";
import { applyArchive, awaitArchive } from "./apply-archive.ts";
import { noteBrought } from "./apply-artifact.ts";
import { enterRung, sweepOf, trialOf } from "./entity.ts";
import type { Event, EventOf } from "../format/event.ts";
import { setLabels } from "./set-label.ts";
import { closeSweep, indexQueued, indexUnqueued, openSweep, reopenSweep } from "./index-state.ts";
import { mustGet, type State, type Sweep, type Trial } from "../state/state.ts";
import { isKeptHeld } from "../state/bytes-held.ts";
import { inputsOf } from "../state/sweep-input.ts";
import { trialsOf } from "../state/trials-of.ts";

export type TrialEvent = Extract<
  Event,
  {
    kind:
      | "SweepSubmitted"
      | "SweepTuned"
      | "SweepPaused"
      | "SweepResumed"
      | "SweepStopping"
      | "SearchNoted"
      | "SweepExhausted"
      | "SweepExtended"
      | "SweepLabelled"
      | "TrialLabelled"
      | "SweepRemoved"
      | "SweepRestored"
      | "SweepFinished"
      | "TrialProposed"
      | "TrialReused"
      | "TrialPromoted"
      | "TrialPaused"
      | "TrialRequeued"
      | "TrialStopAsked"
      | "TrialFinished"
      | "TrialsArchived";
  }
>;

export function applyTrial(state: State, event: TrialEvent, at: number): void {
  switch (event.kind) {
    case "SweepSubmitted":
      return submit(state, event, at);
    case "SweepTuned": {
      const sweep = sweepOf(state, event.sweep);
      sweep.weight = event.weight;
      sweep.priority = event.priority;
      return;
    }
    case "SweepPaused":
      return pause(state, event, at);
    case "SweepResumed":
      delete sweepOf(state, event.sweep).paused;
      state.attention.add(event.sweep);
      return;
    case "SweepStopping":
      sweepOf(state, event.sweep).state = "stopping";
      state.attention.add(event.sweep);
      return;
    case "SearchNoted":
      sweepOf(state, event.sweep).note = event.note;
      return;
    case "SweepExhausted": {
      const sweep = sweepOf(state, event.sweep);
      sweep.exhausted = true;
      sweep.draws = event.draws;
      state.attention.add(event.sweep);
      return;
    }
    case "SweepExtended":
      return extendSweep(state, event);
    case "SweepLabelled":
      return setLabels(sweepOf(state, event.sweep), event);
    case "TrialLabelled":
      return setLabels(trialOf(state, event.trial), event);
    case "SweepRemoved":
      return remove(state, event, at);
    case "SweepRestored":
      return restore(state, event);
    case "SweepFinished":
      return finishSweep(state, event, at);
    case "TrialProposed":
      return propose(state, event, at);
    case "TrialReused":
      return reuse(state, event);
    case "TrialPromoted": {
      const trial = trialOf(state, event.trial);
      trial.target = event.target;
      return move(state, trial, "queued", at);
    }
    case "TrialPaused":
      return move(state, trialOf(state, event.trial), "paused", at);
    case "TrialRequeued": {
      const trial = trialOf(state, event.trial);
      if (event.blame) trial.retries++;
      return move(state, trial, "queued", at);
    }
    case "TrialStopAsked": {
      const { by, why } = event;
      trialOf(state, event.trial).stopAsked = { by, why };
      return;
    }
    case "TrialFinished":
      return finishTrial(state, event, at);
    case "TrialsArchived":
      return applyArchive(state, event, at);
  }
}

function submit(state: State, event: EventOf<"SweepSubmitted">, at: number): void {
  const fingerprint = fingerprintNumber(state, event.fingerprint);
  const warmStart = fingerprintNumber(state, event.warmStart);
  const sweep: Sweep = {
    sweep: event.sweep,
    requester: event.requester,
    spec: event.spec,
    fingerprint,
    warmStart,
    ...(event.repeats === undefined ? null : { repeats: event.repeats }),
    ...(event.deployment === undefined ? null : { deployment: event.deployment }),
    total: event.total,
    proposed: 0,
    draws: 0,
    exhausted: false,
    note: null,
    state: "running",
    counts: { queued: 0, running: 0, paused: 0, completed: 0, stopped: 0, failed: 0, cancelled: 0 },
    reused: 0,
    weight: event.spec.weight,
    priority: event.spec.priority,
    finishTag: 0,
    taggedAt: at,
    spent: 0,
    pending: 0,
    typicalCost: null,
    pace: {},
    epochs: {},
    savedByReuse: 0,
    savedByStopping: 0,
    restarts: 0,
    best: null,
    bestSoFar: [],
    submittedAt: at,
    finishedAt: null,
    registered: null,
  };
  state.sweeps.set(event.sweep, sweep);
  state.dirty.add(`sweep/${event.sweep}`);
  state.meta.nextSweep++;
  // Whoever submits it has seen to it that what it is run with is there.
  for (const digest of inputsOf(sweep)) noteBrought(state, digest);
  openSweep(state, sweep);
}

function pause(state: State, { by, now, sweep: id, why }: EventOf<"SweepPaused">, at: number): void {
  sweepOf(state, id).paused = { by, why, at, now: now === true };
  state.wanting.delete(id);
  state.attention.add(id);
}

function fingerprintNumber(state: State, text: string): number {
  const known = state.fingerprints.get(text);
  if (known !== undefined) return known;
  const number = state.meta.nextFingerprint++;
  state.fingerprints.set(text, number);
  state.dirty.add(`fingerprint/${number}`);
  return number;
}

/** REMOVE-1: its record answers no more, and the next trial of the same work makes a new one. */
function remove(state: State, { by, sweep: id, why }: EventOf<"SweepRemoved">, at: number): void {
  const sweep = sweepOf(state, id);
  sweep.removed = { by, why, at };
  for (const { record, trial: each } of trialsOf(state, sweep)) {
    if (!record) continue;
    const trial = trialOf(state, each);
    trial.record = false;
    state.records.delete(trial.key);
  }
}

/** What nobody has done anew meanwhile is answered from it again. */
function restore(state: State, { sweep: id }: EventOf<"SweepRestored">): void {
  const sweep = sweepOf(state, id);
  delete sweep.removed;
  for (const { key, trial: each } of [...trialsOf(state, sweep)].filter(answers))
    if (!state.records.has(key)) record(state, trialOf(state, each));
}

/** It has done its work itself, and was judged: later trials of the same key may be answered from it. */
function answers({ reusedFrom, state, stopAsked }: Trial): boolean {
  return reusedFrom === null && (state === "completed" || (state === "stopped" && stopAsked === undefined));
}

/** GC-3: one whose bytes are gone gives way to the same work done anew. */
function takeRecord(state: State, trial: Trial): void {
  const known = state.records.get(trial.key);
  if (known !== undefined) {
    if (isKeptHeld(state, mustGet(state.trials, known, "trial"))) return;
    trialOf(state, known).record = false;
  }
  record(state, trial);
}

function record(state: State, trial: Trial): void {
  trial.record = true;
  state.records.set(trial.key, trial.trial);
}

/** EXTEND-1: one that has ended goes on with all it has found; its search is as it was. */
function extendSweep(state: State, { cap, sweep: id, total }: EventOf<"SweepExtended">): void {
  const sweep = sweepOf(state, id);
  if (cap !== undefined) sweep.spec = { ...sweep.spec, cap };
  if (total === undefined) return;
  sweep.total = total;
  sweep.exhausted = false;
  state.attention.add(id);
  if (sweep.finishedAt === null) return;
  sweep.state = "running";
  sweep.finishedAt = null;
  reopenSweep(state, sweep);
  for (const trial of trialsOf(state, sweep)) {
    mustGet(state.keys, id, "keys of").add(trial.key);
    for (const { resource } of trial.rungs) enterRung(state, trial, resource);
  }
}

function finishSweep(state: State, event: EventOf<"SweepFinished">, at: number): void {
  const sweep = sweepOf(state, event.sweep);
  sweep.state = event.state;
  delete sweep.paused;
  sweep.finishedAt = at;
  closeSweep(state, sweep);
}

function propose(state: State, event: EventOf<"TrialProposed">, at: number): void {
  const sweep = sweepOf(state, event.sweep);
  sweep.proposed++;
  sweep.draws = event.draws;
  sweep.counts.queued++;
  const origin = event.resumes ?? event.parent;
  const from = origin === undefined ? null : mustGet(state.trials, origin, "trial");
  // A shorter run of the same has been judged already where both are; a parent had other parameters.
  const shared = from?.rungs.filter(({ resource }) => event.rungs?.includes(resource) === true) ?? [];
  const trial: Trial = {
    trial: event.trial,
    sweep: event.sweep,
    number: event.number,
    model: event.model,
    params: event.params,
    key: event.key,
    state: "queued",
    order: state.meta.nextOrder++,
    queuedAt: at,
    checkpoint: from?.checkpoint ?? null,
    checkpointBytes: from?.checkpointBytes ?? 0,
    target: event.target,
    rungs: shared.map((rung) => ({ ...rung })),
    value: null,
    metrics: {},
    attempts: [],
    leastMs: 0,
    retries: 0,
    reusedFrom: null,
    parent: event.parent ?? null,
    resumes: event.resumes ?? null,
    failure: null,
    spent: 0,
    record: false,
  };
  if (event.resumes !== undefined && from?.best !== undefined) trial.best = from.best;
  const judged = trial.rungs.at(-1)?.value ?? null;
  trial.value = judged === null ? null : (trial.best?.value ?? judged);
  for (const { resource } of trial.rungs) enterRung(state, trial, resource);
  state.trials.set(event.trial, trial);
  indexQueued(state, trial);
  state.attention.add(event.sweep);
  state.dirty.add(`trial/${event.trial}`);
  mustGet(state.keys, event.sweep, "keys of").add(event.key);
}

/** The whole outcome is taken over. */
function reuse(state: State, { from, saved, trial: id }: EventOf<"TrialReused">): void {
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
  if (origin.best !== undefined) trial.best = origin.best;
  for (const rung of trial.rungs) enterRung(state, trial, rung.resource);
  sweep.reused++;
  sweep.savedByReuse += saved;
}

function finishTrial(state: State, event: EventOf<"TrialFinished">, at: number): void {
  const trial = trialOf(state, event.trial);
  if (isFinal(trial.state)) throw new Error(`broken invariant: ${trial.trial} has two outcomes`);
  const sweep = sweepOf(state, trial.sweep);
  move(state, trial, event.outcome, at);
  awaitArchive(state, trial);
  if (event.outcome === "failed" || event.outcome === "cancelled") {
    trial.failure = event.why;
    return;
  }
  // STOP-2: nobody has judged it, and it is not complete.
  if (event.by !== undefined) trial.failure = event.why;
  else if (trial.reusedFrom === null) takeRecord(state, trial);
  sweep.savedByStopping += event.saved ?? 0;
  if (event.metrics !== undefined) trial.metrics = event.metrics;
  if (event.best === true) noteBest(sweep, trial, at);
}

/** It counts among the finished trials once it has a value, though it may go on. */
export function noteBest(sweep: Sweep, trial: Trial, at: number): void {
  if (trial.value === null) return;
  const resource = trial.best?.resource ?? trial.rungs.at(-1)?.resource ?? 0;
  sweep.best = { trial: trial.trial, model: trial.model, value: trial.value, resource };
  const { completed, stopped } = sweep.counts;
  const trials = completed + stopped + (isFinal(trial.state) ? 0 : 1);
  sweep.bestSoFar.push({ trials, spent: sweep.spent, at, value: trial.value });
}

export function isFinal(state: TrialState): boolean {
  return state === "completed" || state === "stopped" || state === "failed" || state === "cancelled";
}

/** Moves a trial to another state and keeps its sweep's counts and queue in step. */
export function move(state: State, trial: Trial, to: TrialState, at: number): void {
  const sweep = sweepOf(state, trial.sweep);
  if (trial.state === "queued") indexUnqueued(state, trial);
  sweep.counts[trial.state]--;
  sweep.counts[to]++;
  trial.state = to;
  state.attention.add(trial.sweep);
  if (to !== "queued") return;
  trial.order = state.meta.nextOrder++;
  trial.queuedAt = at;
  indexQueued(state, trial);
}
