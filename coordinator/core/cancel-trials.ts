/**
 * Ends the trials of a sweep that is stopping or over, a part at a time, so that no batch of the journal grows with the sweep
 * (SIZE-2). What runs is asked to end before what waits is ended. What is left follows from the state: it is taken up with the
 * next batch, also by whoever leads then.
 */
import type { Event } from "../format/event.ts";
import { targetReached } from "../state/objective.ts";
import type { State, Sweep } from "../state/state.ts";
import { trialsOf } from "../state/trials-of.ts";
import { trialFinished } from "./outcome-fact.ts";

/** Asks at most `most` of the attempts that nobody has asked yet; returns how many. Each ends as soon as its agent hears of it. */
export function* cancelRunning(state: State, sweep: Sweep, most: number): Generator<Event, number, void> {
  const going = state.going.get(sweep.sweep);
  if (going === undefined) return 0;
  const reason = whyStopping(sweep);
  const fences = [...going].slice(0, most);
  for (const fence of fences)
    yield { kind: "CancelRequested", fence, reason, how: "soon", preemptedFor: null };
  return fences.length;
}

/** PAUSE-2: as `cancelRunning`, but each leaves at its next checkpoint, and goes on from there once the sweep is resumed. */
export function* preemptRunning(state: State, sweep: Sweep, most: number): Generator<Event, number, void> {
  const going = state.going.get(sweep.sweep);
  if (going === undefined) return 0;
  const reason = `${sweep.sweep} was paused by ${sweep.paused?.by ?? sweep.requester}`;
  const fences = [...going].slice(0, most);
  for (const fence of fences)
    yield { kind: "CancelRequested", fence, reason, how: "checkpoint", preemptedFor: null };
  return fences.length;
}

/**
 * In a sweep that is stopping nothing waits that did not wait before: up to this number all is looked through. A memory, not a part
 * of the state: where there is none it begins at the first.
 */
const lookedThrough = new WeakMap<Sweep, number>();

/** Ends at most `most` of those that wait, queued or paused; returns how many. */
export function* endWaiting(
  state: State,
  sweep: Sweep,
  outcome: "cancelled" | "stopped",
  why: string,
  most: number,
): Generator<Event, number, void> {
  if (sweep.counts.queued + sweep.counts.paused === 0) return 0;
  let ended = 0;
  for (const trial of trialsOf(state, sweep, lookedThrough.get(sweep) ?? 1)) {
    if (sweep.state === "stopping") lookedThrough.set(sweep, trial.number);
    if (ended >= most) break;
    if (trial.state !== "queued" && trial.state !== "paused") continue;
    yield trialFinished(state, trial, outcome, why);
    ended++;
  }
  return ended;
}

export function whyStopping(sweep: Sweep): string {
  const { best, spec } = sweep;
  return best !== null && targetReached(sweep)
    ? `${best.trial} reached the target ${spec.stopping.target} with ${best.value}`
    : "the sweep was stopped";
}
