/** Applies the events of attempts: leases with their reservations, checkpoints, rungs, endings. */
import { correct, serve } from "../queue/fair-queue.ts";
import { isFinal, move } from "./apply-trial.ts";
import { indexAgent, indexData, indexFurthest } from "./index-state.ts";
import { learnCost } from "./learn-cost.ts";
import { accountOf, addLine, agentOf, enterRung, sweepOf, trialOf } from "./entity.ts";
import type { Event } from "../state/event.ts";
import { contradictedBy } from "./quarantine.ts";
import {
  attemptByFence,
  type Account,
  type Attempt,
  type State,
  type Sweep,
  type Trial,
} from "../state/state.ts";

export type AttemptEvent = Extract<
  Event,
  {
    kind:
      | "LeaseOffered"
      | "LeaseAccepted"
      | "LeaseExtended"
      | "CancelRequested"
      | "CheckpointKept"
      | "RungReached"
      | "AttemptEnded";
  }
>;

/** Weight of the newest attempt in a sweep's typical cost. */
const costSmoothing = 0.2;
/**
 * Before a sweep has a typical cost, the share of its reservation that is charged to the fair queue. Too low
 * is put right at the end of the attempt; too high would push virtual time ahead of everyone else.
 */
const firstGuessShare = 0.125;

export function applyAttempt(state: State, event: AttemptEvent, at: number): void {
  switch (event.kind) {
    case "LeaseOffered":
      return offer(state, event, at);
    case "LeaseAccepted":
      activeOf(state, event.fence).attempt.state = "running";
      return;
    case "LeaseExtended":
      return extend(state, event, at);
    case "CancelRequested":
      return cancel(state, event);
    case "CheckpointKept": {
      const { trial, attempt } = activeOf(state, event.fence);
      trial.checkpoint = { resource: event.resource, digest: event.digest };
      trial.checkpointBytes = event.bytes;
      trial.metrics = event.metrics;
      attempt.keptMs = event.usedMs;
      attempt.keptAt = at;
      if (event.built !== undefined) trial.built = event.built;
      if (event.approximate === true) attempt.approximate = true;
      indexFurthest(state, trial);
      return;
    }
    case "RungReached": {
      const { trial } = activeOf(state, event.fence);
      const { also, resource, value } = event;
      trial.rungs.push(also.length === 0 ? { resource, value } : { resource, value, also });
      trial.value = event.value;
      enterRung(state, trial, event.resource);
      return;
    }
    case "AttemptEnded":
      return end(state, event, at);
  }
}

function activeOf(state: State, fence: number): { trial: Trial; attempt: Attempt } {
  const found = attemptByFence(state, fence);
  if (found === null) throw new Error(`broken invariant: fence ${fence} is not active`);
  state.dirty.add(`trial/${found.trial.trial}`);
  return found;
}

function offer(state: State, event: Extract<Event, { kind: "LeaseOffered" }>, at: number): void {
  const trial = trialOf(state, event.trial);
  if (trial.state !== "queued")
    throw new Error(`broken invariant: ${trial.trial} is ${trial.state}, not queued`);
  const sweep = sweepOf(state, trial.sweep);
  const account = accountOf(state, sweep.requester);
  const charged = Math.min(event.reserved, expectedCost(state, sweep, trial, event));
  trial.attempts.push({
    fence: event.fence,
    agent: event.agent,
    incarnation: event.incarnation,
    backend: event.backend,
    rate: event.rate,
    from: event.from,
    target: event.target,
    at,
    until: at + event.horizonMs,
    shifted: false,
    reserved: event.reserved,
    posted: 0,
    charged,
    keptMs: 0,
    keptAt: at,
    approximate: false,
    state: "offered",
    cancel: null,
    patient: false,
    preemptedFor: null,
    ending: null,
    note: "",
    endedAt: null,
  });
  move(state, trial, "running", at);
  state.meta.nextFence = event.fence + 1;
  state.active.set(event.fence, trial.trial);
  holdingOf(state, event.agent).add(event.fence);
  indexAgent(state, event.agent);
  indexData(state, sweep.spec.dataset?.digest, event.agent);
  account.pending += event.reserved;
  sweep.pending += event.reserved;
  const tags = serve(account, state.meta.virtualTime, charged, at);
  account.finishTag = tags.finishTag;
  account.taggedAt = at;
  state.meta.virtualTime = tags.virtualTime;
  const own = serve(sweep, account.sweepTime, charged, at);
  sweep.finishTag = own.finishTag;
  sweep.taggedAt = at;
  account.sweepTime = own.virtualTime;
  const note = `${Math.round(event.horizonMs)} ms at ${event.rate.toFixed(2)} tokens/s`;
  const { fence, agent } = event;
  addLine(state, account, {
    at,
    kind: "reserve",
    amount: event.reserved,
    trial: trial.trial,
    fence,
    agent,
    note,
  });
}

/** What the attempt will probably cost: as the sweep's others, as others of its kind, or a share of what is reserved. */
function expectedCost(
  state: State,
  sweep: Sweep,
  trial: Trial,
  { from, reserved, target }: Extract<Event, { kind: "LeaseOffered" }>,
): number {
  if (sweep.typicalCost !== null) return sweep.typicalCost;
  const history = state.costs.get(`${sweep.spec.task}/${trial.model}`);
  if (history === undefined) return Math.ceil(reserved * firstGuessShare);
  const rows = Math.max(1, sweep.spec.dataset?.rows.train ?? 1);
  return Math.ceil(Math.exp(history.mean) * rows * (target - (from?.resource ?? 0)));
}

function cancel(state: State, event: Extract<Event, { kind: "CancelRequested" }>): void {
  const { attempt } = activeOf(state, event.fence);
  attempt.cancel = event.reason;
  attempt.patient = event.how === "checkpoint";
  attempt.preemptedFor = event.preemptedFor;
}

/** SFQ-3, in both queues. */
function recharge(account: Account, sweep: Sweep, attempt: Attempt, cost: number): void {
  account.finishTag = correct(account, attempt.charged, cost);
  sweep.finishTag = correct(sweep, attempt.charged, cost);
  attempt.charged = cost;
}

function extend(state: State, event: Extract<Event, { kind: "LeaseExtended" }>, at: number): void {
  const { trial, attempt } = activeOf(state, event.fence);
  attempt.until = event.until;
  attempt.shifted = false;
  if (event.added === 0) return;
  const sweep = sweepOf(state, trial.sweep);
  const account = accountOf(state, sweep.requester);
  // What was reserved before is used by now, or nearly: an attempt that outlives its estimate is charged as it goes on.
  if (attempt.reserved > attempt.charged) recharge(account, sweep, attempt, attempt.reserved);
  attempt.reserved += event.added;
  account.pending += event.added;
  sweep.pending += event.added;
  addLine(state, account, {
    at,
    kind: "extend",
    amount: event.added,
    trial: trial.trial,
    fence: event.fence,
    agent: attempt.agent,
    note: "horizon extended",
  });
}

function end(state: State, event: Extract<Event, { kind: "AttemptEnded" }>, at: number): void {
  const { trial, attempt } = activeOf(state, event.fence);
  if (isFinal(trial.state)) throw new Error(`broken invariant: ${trial.trial} ended while running`);
  const sweep = sweepOf(state, trial.sweep);
  const account = accountOf(state, sweep.requester);
  const { posted } = event;
  if (posted > attempt.reserved)
    throw new Error(`broken invariant: fence ${event.fence} posts more than it reserved`);
  const released = attempt.reserved - posted;
  account.pending -= attempt.reserved;
  account.posted += posted;
  sweep.pending -= attempt.reserved;
  sweep.spent += posted;
  trial.spent += posted;
  recharge(account, sweep, attempt, posted);
  learnCost(state, sweep, trial, attempt);
  if (event.ending === "finished") {
    const before = sweep.typicalCost ?? posted;
    sweep.typicalCost = Math.round(before + costSmoothing * (posted - before));
  }
  attempt.posted = posted;
  // Twice as long is tried next, which ends where whole leases are given.
  if (event.tooShort) trial.leastMs = Math.max(trial.leastMs, 2 * (attempt.until - attempt.at));
  attempt.state = "ended";
  attempt.ending = event.ending;
  attempt.note = event.note;
  attempt.endedAt = at;
  if (event.ending === "finished") compare(state, trial, attempt.agent);
  state.active.delete(event.fence);
  holdingOf(state, attempt.agent).delete(event.fence);
  indexAgent(state, attempt.agent);
  const line = { at, trial: trial.trial, fence: event.fence, agent: attempt.agent };
  addLine(state, account, { ...line, kind: "post", amount: posted, note: event.note || event.ending });
  if (released > 0) addLine(state, account, { ...line, kind: "release", amount: released, note: "not used" });
}

/** Whoever finished it can do it, and whoever failed it before could not. */
function compare(state: State, trial: Trial, finisher: string): void {
  const own = state.agents.get(finisher);
  if (own !== undefined && own.contradicted > 0) agentOf(state, finisher).contradicted = 0;
  for (const { agent } of contradictedBy(trial, finisher))
    if (state.agents.has(agent)) agentOf(state, agent).contradicted++;
}

function holdingOf(state: State, agent: string): Set<number> {
  let held = state.held.get(agent);
  if (held === undefined) {
    held = new Set();
    state.held.set(agent, held);
  }
  return held;
}
