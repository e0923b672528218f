/** Ends the trials of a sweep that is stopping: what waits at once, what runs as soon as its agent hears of it. */
import { trialFinished } from "./outcome-fact.ts";
import type { Steps } from "../state/input.ts";
import { activeAttempt, type State, type Sweep } from "../state/state.ts";
import { trialsOf } from "../state/trials-of.ts";

export function* cancelTrials(state: State, sweep: Sweep, why: string): Steps {
  for (const trial of trialsOf(state, sweep)) {
    if (trial.state === "queued" || trial.state === "paused") {
      yield trialFinished(state, trial, "cancelled", why);
    }
    const attempt = activeAttempt(trial);
    if (attempt === null || attempt.cancel !== null) continue;
    yield { kind: "CancelRequested", fence: attempt.fence, reason: why, how: "soon", preemptedFor: null };
  }
}
