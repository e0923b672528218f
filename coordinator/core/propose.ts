/**
 * Keeps the next trials of each open sweep at hand, and ends sweeps that have nothing left. Looks only at sweeps something
 * happened to. A sampler that learns is not asked here: its sweep is noted as wanting, and the loop asks in its own time.
 */
import { registerBest } from "../registry/register-best.ts";
import { learns, samplerFor } from "../../search/choose/choose-sampler.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { Event } from "../format/event.ts";
import { cancelRunning, endWaiting, preemptRunning, whyStopping } from "./cancel-trials.ts";
import { promoteLast } from "./judge.ts";
import { sweepFinished } from "./outcome-fact.ts";
import { canPropose, hasRoom, isKnown, proposeTrial } from "./propose-trial.ts";
import { repeatNext } from "./repeat-trial.ts";
import { dueOf } from "../state/repeated-sweep.ts";
import { mustGet, type State, type Sweep } from "../state/state.ts";

const noteCharactersMax = 500;

/** Returns how many trials it answered from the record or ended where they waited, at most about `most`. */
export function* proposeAndEnd(
  state: State,
  most: number,
  isFull: () => boolean,
): Generator<Event, number, void> {
  let done = 0;
  while (done < most && !isFull()) {
    const id = firstOf(state.attention);
    if (id === null) break;
    const sweep = mustGet(state.sweeps, id, "sweep");
    // What is done here may ask for attention again; only what is left undone may keep it.
    state.attention.delete(id);
    if (sweep.state === "stopping") {
      done += yield* cancelRunning(state, sweep, most - done);
      done += yield* endWaiting(state, sweep, "cancelled", whyStopping(sweep), most - done);
    } else if (sweep.paused === undefined) done += yield* fill(state, sweep, most - done, isFull);
    else if (sweep.paused.now) done += yield* preemptRunning(state, sweep, most - done);
    const mayGoOn = done < most && !isFull();
    if (mayGoOn) done += yield* finishWhenDone(state, sweep, most - done);
    if (!mayGoOn || done >= most) state.attention.add(id);
    if (sweep.finishedAt !== null) state.attention.delete(id);
  }
  return done;
}

function firstOf(attention: ReadonlySet<string>): string | null {
  for (const id of attention) return id;
  return null;
}

/** True while fewer trials wait than the sweep has models: more would only fix choices before they are needed. */
export function wantsMore(sweep: Sweep): boolean {
  return canPropose(sweep) && sweep.counts.queued < sweep.spec.models.length;
}

function* fill(
  state: State,
  sweep: Sweep,
  most: number,
  isFull: () => boolean,
): Generator<Event, number, void> {
  const { method } = sweep.spec.search;
  if (method === "outside") return 0;
  let answered = 0;
  while (answered < most && wantsMore(sweep) && !isFull()) {
    const isAnswered = yield* repeatNext(state, sweep);
    if (isAnswered === null) break;
    if (isAnswered) answered++;
  }
  // It has not come to its end there: the rest follows with the next batch.
  if (dueOf(state, sweep) !== null) return answered;
  if (learns(method)) {
    if (wantsMore(sweep)) state.wanting.add(sweep.sweep);
    else state.wanting.delete(sweep.sweep);
    return answered;
  }
  while (answered < most && wantsMore(sweep) && !isFull()) {
    const proposal = proposalFor(state, sweep);
    if (proposal instanceof Error) {
      // It would fail again at every look, also after a restart: no more is proposed, and the sweep says why.
      const note = `no more trials are proposed, for ${method} failed: ${errorSentence(proposal)}`.slice(
        0,
        noteCharactersMax,
      );
      yield { kind: "SearchNoted", sweep: sweep.sweep, note };
    }
    if (proposal === null || proposal instanceof Error) {
      yield { kind: "SweepExhausted", sweep: sweep.sweep, draws: sweep.draws };
      break;
    }
    if ((yield* proposeTrial(state, sweep, { ...proposal, parent: null })) === null) answered++;
  }
  return answered;
}

/** The next proposal, null where there is none left, or why it cannot be worked out. Changes nothing. */
function proposalFor(state: State, sweep: Sweep) {
  try {
    return samplerFor(sweep.spec).propose(sweep.draws, (model, params) =>
      isKnown(state, sweep, model, params),
    );
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/**
 * A sweep ends when nothing runs, waits or is left to propose; what is paused then stays where it is. Ends at most `most` of
 * them, and the sweep only after the last; returns how many.
 */
function* finishWhenDone(state: State, sweep: Sweep, most: number): Generator<Event, number, void> {
  const { counts, finishedAt } = sweep;
  if (finishedAt !== null || hasRoom(sweep) || counts.queued > 0 || counts.running > 0) return 0;
  if (yield* promoteLast(state, sweep)) return 0;
  const ended = yield* endWaiting(state, sweep, "stopped", "not among the best of its rung", most);
  if (counts.paused > 0) return ended;
  yield sweepFinished(sweep);
  if (sweep.state === "done") yield* registerBest(state, sweep);
  return ended;
}
