/**
 * Keeps the next trials of each open sweep at hand, answers those that are on record, and ends sweeps that have nothing left.
 * Looks only at sweeps something happened to.
 */
import { trialId } from "../../protocol/id.ts";
import { registerBest } from "../registry/register-best.ts";
import { samplerFor } from "../search/choose-sampler.ts";
import type { Proposal } from "../search/sampler.ts";
import { stoppingPolicy } from "../stopping/choose-policy.ts";
import type { Event } from "./event.ts";
import type { Steps } from "./input.ts";
import { promoteLast } from "./judge.ts";
import { trialKey } from "./key.ts";
import { answerFromRecord, canAnswer } from "./reuse.ts";
import { mustGet, type State, type Sweep } from "./state.ts";

/** Returns how many trials it answered from the record, at most about `most`. */
export function* proposeAndEnd(state: State, most: number): Generator<Event, number, void> {
  let answered = 0;
  while (answered < most) {
    const id = firstOf(state.attention);
    if (id === null) break;
    const sweep = mustGet(state.sweeps, id, "sweep");
    // What is done here may ask for attention again; only what is left undone may keep it.
    state.attention.delete(id);
    const count = yield* fill(state, sweep, most - answered);
    answered += count;
    if (answered < most) yield* finishWhenDone(state, sweep);
    else state.attention.add(id);
    if (!isOpen(sweep)) state.attention.delete(id);
  }
  return answered;
}

function firstOf(attention: ReadonlySet<string>): string | null {
  for (const id of attention) return id;
  return null;
}

function isOpen(sweep: Sweep): boolean {
  return sweep.finishedAt === null;
}

function canPropose(sweep: Sweep): boolean {
  return sweep.state === "running" && !sweep.exhausted && sweep.proposed < sweep.total;
}

/**
 * Proposes until as many trials wait as the sweep has models: more would only fix choices before they are needed.
 */
function* fill(state: State, sweep: Sweep, most: number): Generator<Event, number, void> {
  let answered = 0;
  while (answered < most && canPropose(sweep) && sweep.counts.queued < sweep.spec.models.length) {
    const proposal = nextProposal(state, sweep);
    if (proposal === null) {
      yield { kind: "SweepExhausted", sweep: sweep.sweep, draws: sweep.draws };
      break;
    }
    const event = proposed(sweep, proposal);
    yield event;
    const trial = mustGet(state.trials, event.trial, "trial");
    if (!canAnswer(state, sweep, trial)) continue;
    yield* answerFromRecord(state, sweep, trial);
    answered++;
  }
  return answered;
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

/** A sweep ends when nothing runs, waits or is left to propose; what is paused then stays where it is. */
function* finishWhenDone(state: State, sweep: Sweep): Steps {
  if (!isOpen(sweep) || canPropose(sweep) || sweep.counts.queued > 0 || sweep.counts.running > 0) return;
  if (yield* promoteLast(state, sweep)) return;
  for (let number = 1; number <= sweep.proposed && sweep.counts.paused > 0; number++) {
    const id = trialId(sweep.sweep, number);
    if (mustGet(state.trials, id, "trial").state !== "paused") continue;
    yield { kind: "TrialFinished", trial: id, outcome: "stopped", why: "not among the best of its rung" };
  }
  yield { kind: "SweepFinished", sweep: sweep.sweep };
  if (sweep.state === "done") yield* registerBest(state, sweep);
}
