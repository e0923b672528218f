/**
 * Keeps what is derived from the entities in step with them: the queues, the fleet, where data lies. `apply` calls these as
 * it changes an entity; loading a stored state calls them for each entity in turn.
 */
import type { Digest } from "../../protocol/id.ts";
import { isHeld } from "../state/bytes-held.ts";
import { takesWork } from "../state/takes-work.ts";
import { TrialQueue } from "../state/trial-queue.ts";
import { trialKey } from "../state/trial-key.ts";
import { mustGet, type Pack, type State, type Sweep, type Trial } from "../state/state.ts";

/** After anything changed about an agent, or what it holds. */
export function indexAgent(state: State, name: string): void {
  const agent = state.agents.get(name);
  if (agent === undefined) return;
  const works = takesWork(agent);
  const free = works && (state.held.get(name)?.size ?? 0) < agent.policy.slots;
  state.fleet.update(agent, works, free);
}

export function openSweep(state: State, sweep: Sweep): void {
  const open = state.open.get(sweep.requester) ?? [];
  open.push(sweep.sweep);
  state.open.set(sweep.requester, open);
  state.keys.set(sweep.sweep, new Set());
  state.rungs.set(sweep.sweep, new Map());
  state.queues.set(sweep.sweep, new Map());
  state.attention.add(sweep.sweep);
}

/** Among its requester's it stands where it stood, by its number. */
export function reopenSweep(state: State, sweep: Sweep): void {
  openSweep(state, sweep);
  const number = (id: string) => Number(id.slice(1));
  state.open.get(sweep.requester)?.sort((a, b) => number(a) - number(b));
}

export function closeSweep(state: State, sweep: Sweep): void {
  const open = mustGet(state.open, sweep.requester, "open sweeps of").filter((id) => id !== sweep.sweep);
  if (open.length === 0) state.open.delete(sweep.requester);
  else state.open.set(sweep.requester, open);
  state.keys.delete(sweep.sweep);
  state.rungs.delete(sweep.sweep);
  state.queues.delete(sweep.sweep);
  state.attention.delete(sweep.sweep);
  state.wanting.delete(sweep.sweep);
}

export function indexQueued(state: State, trial: Trial): void {
  const queues = mustGet(state.queues, trial.sweep, "queues of");
  let queue = queues.get(trial.model);
  if (queue === undefined) {
    queue = new TrialQueue((id) => state.trials.get(id)?.state === "queued");
    queues.set(trial.model, queue);
  }
  queue.push(trial.trial, hasRun(trial));
}

/** Before the trial leaves its state `queued`. */
export function indexUnqueued(state: State, trial: Trial): void {
  state.queues.get(trial.sweep)?.get(trial.model)?.remove(trial.trial);
}

/** Resumed and promoted trials go before those that have not begun. */
function hasRun(trial: Trial): boolean {
  return trial.attempts.length > 0;
}

/** After a checkpoint was kept: the furthest with its warm-start key is what a longer run goes on from. */
export function indexFurthest(state: State, trial: Trial): void {
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  // A child of another's weights is not what its parameters give from the beginning.
  if (!sweep.spec.reuse || trial.parent !== null || trial.checkpoint === null) return;
  const key = trialKey(sweep.warmStart, trial.model, trial.params);
  const known = state.furthest.get(key);
  const best = known === undefined ? null : (state.trials.get(known)?.checkpoint ?? null);
  // GC-3: one whose bytes are gone gives way to any that is there.
  const furthest = best === null || !isHeld(state, best.digest) ? 0 : best.resource;
  if (trial.checkpoint.resource > furthest) state.furthest.set(key, trial.trial);
}

/** While an attempt runs and nobody has asked it to end. */
export function indexGoing(state: State, sweep: string, fence: number): void {
  let going = state.going.get(sweep);
  if (going === undefined) {
    going = new Set();
    state.going.set(sweep, going);
  }
  going.add(fence);
}

export function indexLeaving(state: State, sweep: string, fence: number): void {
  const going = state.going.get(sweep);
  if (going?.delete(fence) === true && going.size === 0) state.going.delete(sweep);
}

/** An agent that was sent a trial has its dataset, or soon will. */
export function indexData(state: State, dataset: Digest | undefined, agent: string): void {
  if (dataset === undefined) return;
  let agents = state.dataAt.get(dataset);
  if (agents === undefined) {
    agents = new Set();
    state.dataAt.set(dataset, agents);
  }
  agents.add(agent);
}

/** PACK-2: which digests lie in it. */
export function indexPack(state: State, pack: Pack): void {
  state.packs.set(pack.pack, pack);
  for (const digest of pack.digests) state.packed.set(digest, pack.pack);
}
