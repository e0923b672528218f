/**
 * The replicas of a deployment that nobody has asked to leave, and which of them are to be replaced because their machine is going or is
 * not to be had. Pure; what follows is `core/keep-replicas.ts` and `core/hand-over.ts`.
 */
import { replicaModel } from "../../protocol/deployment.ts";
import {
  activeAttempt,
  attemptByFence,
  mustGet,
  type Agent,
  type Attempt,
  type State,
  type Sweep,
  type Trial,
} from "../state/state.ts";
import { choiceOn } from "./feasible.ts";

export interface ReplicaSlot {
  readonly trial: Trial;
  /** Null while it waits for an agent. */
  readonly attempt: Attempt | null;
  /** It answers, on a machine that was heard lately. */
  readonly isReady: boolean;
  /** Why another is to take its place; null where none is. */
  readonly goes: "drains" | "gone" | null;
}

/** In order of their numbers. Those that were asked to leave are none. */
export function replicaSlots(state: State, sweep: Sweep): ReplicaSlot[] {
  const slots: ReplicaSlot[] = [];
  for (const fence of state.going.get(sweep.sweep) ?? []) {
    const found = attemptByFence(state, fence);
    if (found !== null && found.trial.stopAsked === undefined)
      slots.push(slotOf(state, sweep, found.trial, found.attempt));
  }
  for (const queue of state.queues.get(sweep.sweep)?.values() ?? [])
    for (const id of queue.waiting()) {
      const trial = mustGet(state.trials, id, "trial");
      slots.push({ trial, attempt: null, isReady: false, goes: null });
    }
  return slots.toSorted((a, b) => a.trial.number - b.trial.number);
}

/** Whether one that was asked to leave still answers somewhere. On a machine that is not heard only its prepaid time is left. */
export function isAnyLeaving(state: State, sweep: Sweep): boolean {
  if (sweep.counts.running === (state.going.get(sweep.sweep)?.size ?? 0)) return false;
  return [...state.active].some(([fence, id]) => {
    if (state.trials.get(id)?.sweep !== sweep.sweep) return false;
    const attempt = attemptByFence(state, fence)?.attempt;
    if (attempt === undefined || attempt.cancel === null) return false;
    return isHeard(mustGet(state.agents, attempt.agent, "agent"));
  });
}

function slotOf(state: State, sweep: Sweep, trial: Trial, attempt: Attempt): ReplicaSlot {
  const agent = mustGet(state.agents, attempt.agent, "agent");
  const goes = whyItGoes(agent, attempt, sweep);
  const isReady = attempt.replica?.revision !== undefined && isHeard(agent) && !isSuspended(attempt);
  return { trial, attempt, isReady, goes };
}

/** Cordoned by its owner it goes on to its end, which a replica has none of; quarantined its word counts for little. */
function whyItGoes(agent: Agent, attempt: Attempt, sweep: Sweep): ReplicaSlot["goes"] {
  if (agent.draining) return "drains";
  if (!isHeard(agent) || agent.closed !== null || agent.cordonReason !== null) return "gone";
  return isSuspended(attempt) || choiceOn(agent, sweep, replicaModel) === null ? "gone" : null;
}

function isHeard(agent: Agent): boolean {
  return agent.present && agent.revoked !== true;
}

export function isSuspended({ meter }: Attempt): boolean {
  return meter.phase === "standing";
}

/** Live attempts of this sweep on an agent, but for one trial's. */
export function replicasOn(state: State, sweep: Sweep, agent: string, but: Trial): number {
  let count = 0;
  for (const fence of state.held.get(agent) ?? []) {
    const id = state.active.get(fence);
    const trial = id === undefined ? undefined : state.trials.get(id);
    if (trial !== undefined && trial !== but && trial.sweep === sweep.sweep && activeAttempt(trial) !== null)
      count++;
  }
  return count;
}
