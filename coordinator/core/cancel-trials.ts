/**
 * Ends the trials of a sweep that is stopping or over: what runs is asked at once, what waits is ended a part at a time, so
 * that no batch of the journal grows with the sweep (SIZE-2).
 */
import type { Event } from "../format/event.ts";
import type { Steps } from "../state/input.ts";
import { targetReached } from "../state/objective.ts";
import { activeAttempt, type State, type Sweep } from "../state/state.ts";
import { trialsOf } from "../state/trials-of.ts";
import { trialFinished } from "./outcome-fact.ts";

/** Ends as soon as the agents hear of it: at most one for every slot of the mesh. */
export function* cancelRunning(state: State, sweep: Sweep, why: string): Steps {
  for (const trial of trialsOf(state, sweep)) {
    const attempt = activeAttempt(trial);
    if (attempt === null || attempt.cancel !== null) continue;
    yield { kind: "CancelRequested", fence: attempt.fence, reason: why, how: "soon", preemptedFor: null };
  }
}

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
  for (const trial of trialsOf(state, sweep)) {
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
