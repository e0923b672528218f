/**
 * After every batch of inputs: answers trials from the record, finishes sweeps, and gives free slots to
 * the requester whose turn it is. Runs on every change and never polls.
 */
import { trialId } from "../../protocol/id.ts";
import { fundsFor } from "../budget/funds-for.ts";
import { reserve } from "../budget/ledger.ts";
import { chooseAgent, freeSlots } from "../placement/choose-agent.ts";
import { fairOrder } from "../queue/fair-queue.ts";
import { registerBest } from "../registry/register-best.ts";
import { samplerFor } from "../search/choose-sampler.ts";
import type { Proposal } from "../search/sampler.ts";
import { stoppingPolicy } from "../stopping/choose-policy.ts";
import type { Event } from "./event.ts";
import type { Steps } from "./input.ts";
import { promote, promoteLast } from "./judge.ts";
import { trialKey } from "./key.ts";
import type { CoordinatorSettings } from "./setting.ts";
import { mustGet, type Account, type Agent, type State, type Sweep, type Trial } from "./state.ts";

/** Trials answered from the record or placed in one call; the rest follows in the next batch. */
const trialsPerCallMax = 256;

/** Returns true where more could be done at once: call it again with the next batch. */
export function* schedule(state: State, settings: CoordinatorSettings): Generator<Event, boolean, void> {
  let left = trialsPerCallMax;
  for (const sweeps of [...state.open.values()]) {
    for (const id of [...sweeps]) {
      const sweep = mustGet(state.sweeps, id, "sweep");
      left -= yield* reuseRecords(state, sweep, left);
      yield* finishWhenDone(state, sweep);
    }
  }
  left -= yield* place(state, settings, left);
  return left <= 0;
}

function canPropose(sweep: Sweep): boolean {
  return sweep.state === "running" && !sweep.exhausted && sweep.proposed < sweep.total;
}

function nextProposal(state: State, sweep: Sweep): Proposal | null {
  const keys = mustGet(state.keys, sweep.sweep, "keys of");
  const isKnown = (model: string, params: Proposal["params"]) =>
    keys.has(trialKey(sweep.recipe, model, params));
  return samplerFor(sweep.spec).propose(sweep.spec, sweep.draws, isKnown);
}

function proposed(sweep: Sweep, proposal: Proposal) {
  const number = sweep.proposed + 1;
  return {
    kind: "TrialProposed",
    trial: trialId(sweep.sweep, number),
    sweep: sweep.sweep,
    number,
    model: proposal.model,
    params: proposal.params,
    key: trialKey(sweep.recipe, proposal.model, proposal.params),
    draws: proposal.draws,
    target: stoppingPolicy(sweep.spec.stopping).rungs[0] ?? 1,
  } as const;
}

/** REUSE-1: a trial whose key has a result is answered at once, for no tokens, whatever is free. */
function* reuseRecords(state: State, sweep: Sweep, most: number): Generator<Event, number, void> {
  let count = 0;
  while (count < most && sweep.spec.reuse && canPropose(sweep)) {
    const proposal = nextProposal(state, sweep);
    if (proposal === null) {
      yield { kind: "SweepExhausted", sweep: sweep.sweep, draws: sweep.draws };
      break;
    }
    const event = proposed(sweep, proposal);
    const from = state.records.get(event.key);
    if (from === undefined) break;
    const origin = mustGet(state.trials, from, "trial");
    yield event;
    yield { kind: "TrialReused", trial: event.trial, from };
    const outcome = origin.state === "completed" ? "completed" : "stopped";
    yield { kind: "TrialFinished", trial: event.trial, outcome, why: `answered by ${from}` };
    yield* promote(state, sweep);
    count++;
  }
  return count;
}

/** A sweep ends when nothing runs, waits or is left to propose; what is paused then stays where it is. */
function* finishWhenDone(state: State, sweep: Sweep): Steps {
  if (canPropose(sweep) || sweep.counts.queued > 0 || sweep.counts.running > 0) return;
  if (yield* promoteLast(state, sweep)) return;
  for (let number = 1; number <= sweep.proposed && sweep.counts.paused > 0; number++) {
    const id = trialId(sweep.sweep, number);
    if (mustGet(state.trials, id, "trial").state !== "paused") continue;
    yield { kind: "TrialFinished", trial: id, outcome: "stopped", why: "not among the best of its rung" };
  }
  yield { kind: "SweepFinished", sweep: sweep.sweep };
  if (sweep.state === "done") yield* registerBest(state, sweep);
}

function* place(state: State, settings: CoordinatorSettings, most: number): Generator<Event, number, void> {
  for (let count = 0; count < most; count++) {
    const agents = [...state.agents.values()].filter((agent) => freeSlots(state, agent) > 0);
    if (agents.length === 0) return count;
    const waiting = [...state.open.keys()].map((requester) => mustGet(state.accounts, requester, "account"));
    let placed = false;
    for (const account of fairOrder(waiting, state.meta.virtualTime)) {
      placed = yield* placeFor(state, account, agents, settings);
      if (placed) break;
    }
    if (!placed) return count;
  }
  return most;
}

/** Places one trial of this requester, if any of its sweeps has one that fits and can be paid for. */
function* placeFor(
  state: State,
  account: Account,
  agents: readonly Agent[],
  settings: CoordinatorSettings,
): Generator<Event, boolean, void> {
  const open = mustGet(state.open, account.requester, "open sweeps of").map((id) =>
    mustGet(state.sweeps, id, "sweep"),
  );
  // Sweeps of one requester take turns: the one with the least running comes first.
  for (const sweep of open.toSorted((a, b) => a.counts.running - b.counts.running)) {
    if (sweep.state !== "running") continue;
    const free = fundsFor(state, sweep);
    if (free === 0) continue;
    const blocked = new Set<string>();
    for (const id of sweep.ready) {
      const trial = mustGet(state.trials, id, "trial");
      if (blocked.has(trial.model)) continue;
      const offer = offerOf(state, sweep, trial, agents, free, settings);
      if (offer !== null) {
        yield offer;
        return true;
      }
      blocked.add(trial.model);
    }
    // One new proposal per model may wait; more would only fix choices before they are needed.
    while (canPropose(sweep) && sweep.ready.length < sweep.spec.models.length) {
      const proposal = nextProposal(state, sweep);
      if (proposal === null) {
        yield { kind: "SweepExhausted", sweep: sweep.sweep, draws: sweep.draws };
        yield* finishWhenDone(state, sweep);
        break;
      }
      const event = proposed(sweep, proposal);
      yield event;
      const trial = mustGet(state.trials, event.trial, "trial");
      const offer = offerOf(state, sweep, trial, agents, free, settings);
      if (offer !== null) {
        yield offer;
        return true;
      }
    }
  }
  return false;
}

function offerOf(
  state: State,
  sweep: Sweep,
  trial: Trial,
  agents: readonly Agent[],
  free: number,
  settings: CoordinatorSettings,
) {
  const choice = chooseAgent(state, agents, sweep, trial);
  if (choice === null) return null;
  const reservation = reserve(free, choice.rate, settings);
  if (reservation === null) return null;
  return {
    kind: "LeaseOffered",
    fence: state.meta.nextFence,
    trial: trial.trial,
    agent: choice.agent.agent,
    incarnation: choice.agent.incarnation,
    backend: choice.backend,
    rate: choice.rate,
    from: trial.checkpoint,
    target: trial.target,
    horizonMs: reservation.horizonMs,
    reserved: reservation.amount,
  } as const;
}
