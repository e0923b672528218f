/** How an attempt ends and what becomes of its trial: settle, then requeue, judge or finish. */
import type { Ending, Attempt, State, Trial } from "../state/state.ts";
import { mustGet } from "../state/state.ts";
import { charge } from "../budget/ledger.ts";
import { isUntriedSomewhere } from "../placement/tried-elsewhere.ts";
import type { Steps } from "../state/input.ts";
import { attemptEnded } from "./attempt-fact.ts";
import { trialFinished } from "./outcome-fact.ts";
import type { CoordinatorSettings } from "../state/setting.ts";

export interface End {
  readonly ending: Ending;
  readonly why: string;
  /** Training time to pay for, ms; left out where only kept work counts (a lost or refused attempt). */
  readonly usedMs?: number;
  /** True where the prepaid time ran out before anything new was kept. */
  readonly tooShort?: boolean;
  /** True where the trial's own code is to blame and would fail the same way again. */
  readonly final?: boolean;
  readonly measured?: Parameters<typeof attemptEnded>[3]["measured"];
}

/**
 * Ends an attempt that did not reach its target. BUDGET-2: its reservation resolves here, once.
 * Who pays: a lost or refused attempt only what was checkpointed; everything else what it used.
 */
export function* endAttempt(
  state: State,
  trial: Trial,
  attempt: Attempt,
  end: End,
  settings: CoordinatorSettings,
): Steps {
  const posted = charge(end.usedMs ?? attempt.keptMs, attempt.rate, attempt.reserved);
  const { ending, measured, tooShort = false, why } = end;
  const fact = { ending, note: why, posted, tooShort };
  yield attemptEnded(state, trial, attempt, measured === undefined ? fact : { ...fact, measured });
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  if (end.final === true || failedSoBefore(state, trial, attempt, end)) {
    yield trialFinished(state, trial, "failed", end.why);
  } else if (sweep.state === "stopping") {
    yield trialFinished(state, trial, "cancelled", "the sweep was stopped");
  } else {
    const blame = end.ending === "failed" || end.ending === "lost";
    if (blame && trial.retries >= settings.retriesMax) {
      const why = `given up after ${trial.retries + 1} attempts; the last: ${end.why}`;
      yield trialFinished(state, trial, "failed", why);
    } else {
      yield { kind: "TrialRequeued", trial: trial.trial, why: end.why, blame };
    }
  }
}

/**
 * RETRY-1: it failed on the same agent for the very same reason before, and no other that fits is there to try: it would
 * only do so again.
 */
function failedSoBefore(state: State, trial: Trial, attempt: Attempt, { ending, why }: End): boolean {
  if (ending !== "failed") return false;
  const failed = trial.attempts.filter((one) => one.ending === "failed");
  const again = failed.some(
    ({ agent, fence, note }) => fence !== attempt.fence && agent === attempt.agent && note === why,
  );
  if (!again) return false;
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  return !isUntriedSomewhere(state, sweep, trial);
}
