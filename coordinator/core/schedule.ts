/**
 * After every batch of inputs: lets sweeps propose, answers trials from the record, ends sweeps, and gives free slots to
 * the requester whose turn it is. Runs on every change and never polls; what nothing happened to is not looked at.
 */
import { fundsFor } from "../budget/funds-for.ts";
import { reserve } from "../budget/ledger.ts";
import { chooseAgent } from "../placement/choose-agent.ts";
import { requestOfAny, type Choice } from "../placement/feasible.ts";
import { limitsFor } from "../placement/horizon-limits.ts";
import { nothingKnown, type Holdings } from "../placement/move-cost.ts";
import { couldStartBeside, wantedHorizon } from "../placement/lease-horizon.ts";
import { placeableReplica } from "../placement/choose-replica-agent.ts";
import { hasFailedOn, isUntriedSomewhere } from "../placement/tried-elsewhere.ts";
import { fairOrder } from "../queue/fair-queue.ts";
import { sweepOrder } from "../queue/sweep-order.ts";
import type { TrialQueue } from "../state/trial-queue.ts";
import type { Event } from "../format/event.ts";
import type { Steps } from "../state/input.ts";
import { leaseOffered } from "./attempt-fact.ts";
import { keepReplicas } from "./keep-replicas.ts";
import { proposeAndEnd } from "./propose.ts";
import { answerFromRecord, canAnswer } from "./reuse.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { mustGet, type Account, type State, type Sweep, type Trial } from "../state/state.ts";

/** Trials answered from the record or placed in one call; the rest follows in the next batch. */
const trialsPerCallMax = 256;
/** Behind trials that wait for another agent than the free one, so many are looked at. */
const waitingLooksMax = 32;

/**
 * Returns true where more could be done at once: call it again with the next batch. `isFull`: this batch takes no more. `holdings`: what
 * agents are known to hold just now; what it leads to is in the events.
 */
export function* schedule(
  state: State,
  at: number,
  settings: CoordinatorSettings,
  isFull: () => boolean = () => false,
  holdings: Holdings = nothingKnown,
): Generator<Event, boolean, void> {
  let left = trialsPerCallMax;
  left -= yield* keepReplicas(state, left, isFull);
  left -= yield* proposeAndEnd(state, left, isFull);
  while (left > 0 && !isFull()) {
    const placed = yield* placeNext(state, at, settings, holdings);
    if (!placed) return false;
    left--;
    // The place it left in its sweep's queue is filled before the next decision looks there.
    left -= yield* proposeAndEnd(state, left, isFull);
  }
  return true;
}

/** One decision: gives one free slot to the next requester in the fair order that can use it. False where none can. */
export function* placeNext(
  state: State,
  at: number,
  settings: CoordinatorSettings,
  holdings: Holdings = nothingKnown,
): Generator<Event, boolean, void> {
  if (!state.fleet.hasFree()) return false;
  /** Requests that no free agent can fulfil; sweeps that want the same are passed over. */
  const blocked = new Set<string>();
  const waiting = [...state.open.keys()].map((requester) => mustGet(state.accounts, requester, "account"));
  for (const account of fairOrder(waiting, ({ requester }) => requester, state.meta.virtualTime, at)) {
    const offer = offerFor(state, account, blocked, { at, settings, holdings });
    if (offer === null) continue;
    yield* offer;
    return true;
  }
  return false;
}

interface Moment {
  readonly at: number;
  readonly settings: CoordinatorSettings;
  readonly holdings: Holdings;
}

function offerFor(
  state: State,
  account: Account,
  blocked: Set<string>,
  { at, holdings, settings }: Moment,
): Steps | null {
  for (const sweep of sweepOrder(state, account, at)) {
    const free = fundsFor(state, sweep);
    if (free === 0) continue;
    for (const { model } of sweep.spec.models) {
      const queue = state.queues.get(sweep.sweep)?.get(model);
      const id = queue?.first() ?? null;
      if (queue === undefined || id === null) continue;
      const { key } = requestOfAny(sweep, model);
      if (blocked.has(key)) continue;
      const found =
        sweep.deployment === undefined
          ? placeable(state, sweep, queue, id, holdings)
          : placeableReplica(state, sweep, queue, at);
      // One that rests says nothing of what fits.
      if (found === "rests") continue;
      if (found === null) {
        // What is missing there is missing for this sweep alone.
        if (sweep.lacking === undefined) blocked.add(key);
        continue;
      }
      const { choice, trial } = found;
      // Another sweep may have done the same while it waited.
      if (canAnswer(state, sweep, trial)) return answerFromRecord(state, sweep, trial);
      const offer = offerOf(state, trial, choice, free, at, settings);
      if (offer !== null) return one(offer);
    }
  }
  return null;
}

interface Placeable {
  readonly trial: Trial;
  readonly choice: Choice;
}

/**
 * The first trial of the queue with its agent. PLACE-2: one that could only go back to where it failed waits while another
 * agent that fits takes work, and lets those behind it pass.
 */
function placeable(
  state: State,
  sweep: Sweep,
  queue: TrialQueue,
  first: string,
  holdings: Holdings,
): Placeable | null {
  const look = (id: string): Placeable | "waits" | null => {
    const trial = mustGet(state.trials, id, "trial");
    const choice = chooseAgent(state, sweep, trial, holdings);
    if (choice === null) return null;
    const failedThere = hasFailedOn(trial, choice.agent.agent);
    return failedThere && isUntriedSomewhere(state, sweep, trial) ? "waits" : { trial, choice };
  };
  const found = look(first);
  if (found !== "waits") return found;
  let looks = 0;
  for (const id of queue.waiting()) {
    if (++looks > waitingLooksMax) return null;
    const next = look(id);
    if (next !== "waits") return next;
  }
  return null;
}

function* one(event: Event): Steps {
  yield event;
}

function offerOf(
  state: State,
  trial: Trial,
  choice: Choice,
  free: number,
  at: number,
  settings: CoordinatorSettings,
): Event | null {
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  const limits = limitsFor(state, sweep, { model: trial.model, rate: choice.rate, trial }, settings);
  const units = trial.target - (trial.checkpoint?.resource ?? 0);
  const wanted = { state, sweep, trial, rate: choice.rate, free, leaseMs: limits.leaseMs, units };
  const horizonMs = wantedHorizon(wanted, couldStartBeside(wanted));
  const leaseMs = Math.max(Math.min(settings.horizonMinMs, limits.leaseMs), limits.horizonMinMs, horizonMs);
  const reservation = reserve(free, choice.rate, { ...limits, leaseMs });
  if (reservation === null) return null;
  const offer = {
    fence: state.meta.nextFence,
    trial: trial.trial,
    agent: choice.agent.agent,
    backend: choice.backend,
    rate: choice.rate,
    target: trial.target,
    horizonMs: reservation.horizonMs,
    reserved: reservation.amount,
  };
  const from = trial.checkpoint;
  return leaseOffered(state, trial, from === null ? offer : { ...offer, from }, at);
}
