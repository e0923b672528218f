/** Ends the trials of a sweep that is stopping: what waits at once, what runs as soon as its agent hears of it. */
import type { Steps } from "./input.ts";
import { activeAttempt, type State, type Sweep } from "./state.ts";
import { trialsOf } from "./trials-of.ts";

export function* cancelTrials(state: State, sweep: Sweep, why: string): Steps {
  for (const trial of trialsOf(state, sweep)) {
    if (trial.state === "queued" || trial.state === "paused") {
      yield { kind: "TrialFinished", trial: trial.trial, outcome: "cancelled", why };
    }
    const attempt = activeAttempt(trial);
    if (attempt === null || attempt.cancel !== null) continue;
    yield { kind: "CancelRequested", fence: attempt.fence, reason: why, how: "soon", preemptedFor: null };
  }
}
