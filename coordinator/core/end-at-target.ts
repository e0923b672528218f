/**
 * A sweep that has what it was after ends: what waits is cancelled at once, what runs as soon as its agent hears
 * of it. Such a sweep has ended well (`targetReached`), not been stopped.
 */
import { trialId } from "../../protocol/id.ts";
import type { Steps } from "./input.ts";
import { activeAttempt, mustGet, type State, type Sweep } from "./state.ts";

export function* endAtTarget(state: State, sweep: Sweep): Steps {
  const { best, spec } = sweep;
  if (best === null) throw new Error(`broken invariant: ${sweep.sweep} is at its target without a result`);
  const why = `${best.trial} reached the target ${spec.stopping.target} with ${best.value}`;
  yield { kind: "SweepStopping", sweep: sweep.sweep, by: sweep.requester, why };
  for (let number = 1; number <= sweep.proposed; number++) {
    const trial = mustGet(state.trials, trialId(sweep.sweep, number), "trial");
    if (trial.state === "queued" || trial.state === "paused") {
      yield { kind: "TrialFinished", trial: trial.trial, outcome: "cancelled", why };
    }
    const attempt = activeAttempt(trial);
    if (attempt !== null && attempt.cancel === null) {
      yield {
        kind: "CancelRequested",
        fence: attempt.fence,
        reason: why,
        how: "soon",
        preemptedFor: null,
      };
    }
  }
}
