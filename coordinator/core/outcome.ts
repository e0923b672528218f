/** How an attempt ends and what becomes of its trial: settle, then requeue, judge or finish. */
import type { Event } from "../format/event.ts";
import type { Ending, Attempt, State, Sweep, Trial } from "../state/state.ts";
import { mustGet } from "../state/state.ts";
import { charge } from "../budget/ledger.ts";
import { lackedByAll, lackSentence } from "../placement/lacked-everywhere.ts";
import { isUntriedSomewhere } from "../placement/tried-elsewhere.ts";
import { replicaProposed } from "./replica-proposed.ts";
import type { Steps } from "../state/input.ts";
import { attemptEnded } from "./attempt-fact.ts";
import { trialFinished, trialStopped } from "./outcome-fact.ts";
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
  /** What it had measured, where it says so. */
  readonly metrics?: Trial["metrics"];
  readonly measured?: Parameters<typeof attemptEnded>[3]["measured"];
  /** What the agent's machine lacks of what the program needs, where that ended it. */
  readonly lacks?: string;
}

/**
 * Ends an attempt that did not reach its target. BUDGET-2: its reservation resolves here, once.
 * Who pays: a lost or refused attempt only what was checkpointed, and so one that ended early because its machine lacks
 * something; everything else what it used.
 */
export function* endAttempt(
  state: State,
  trial: Trial,
  attempt: Attempt,
  end: End,
  settings: CoordinatorSettings,
): Steps {
  const posted = charge(end.usedMs ?? workOf(state, trial, attempt), attempt.rate, attempt.reserved);
  const { ending, lacks, measured, tooShort = false, why } = end;
  const fact = { ending, note: why, posted, tooShort, lacks };
  yield attemptEnded(state, trial, attempt, measured === undefined ? fact : { ...fact, measured });
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  if (sweep.deployment !== undefined && trial.stopAsked === undefined) {
    yield* afterReplica(state, sweep, trial, why);
  } else if (trial.stopAsked !== undefined) {
    yield trialStopped(state, trial, trial.stopAsked, end.metrics);
  } else if (end.final === true || failedSoBefore(state, trial, attempt, end)) {
    yield trialFinished(state, trial, "failed", end.why);
  } else if (sweep.state === "stopping") {
    yield trialFinished(state, trial, "cancelled", "the sweep was stopped");
  } else if (lacks !== undefined) {
    yield afterLack(state, sweep, trial, lacks, why);
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

/** Of a trial what it kept; a replica keeps nothing, and what it was seen to work it has answered with (DEPLOY-10). */
function workOf(state: State, { sweep }: Trial, { keptMs, meter }: Attempt): number {
  return mustGet(state.sweeps, sweep, "sweep").deployment === undefined ? keptMs : meter.workedMs;
}

/** The trial of a replica that has begun so often gives way to a new one, so that none grows without end. */
const replicaAttemptsMax = 32;

/** DEPLOY-9: whatever ended it, it is started again. */
function* afterReplica(state: State, sweep: Sweep, trial: Trial, why: string): Steps {
  if (sweep.state === "stopping") {
    yield trialFinished(state, trial, "cancelled", "the deployment was stopped");
  } else if (trial.attempts.length < replicaAttemptsMax) {
    yield { kind: "TrialRequeued", trial: trial.trial, why, blame: false };
  } else {
    const last = `another takes its place after ${replicaAttemptsMax} attempts; the last: ${why}`;
    yield trialFinished(state, trial, "failed", last);
    yield replicaProposed(sweep, trial);
  }
}

/** LACK-2: the machine's fault and not the trial's, so it goes elsewhere, unless there is nowhere else. */
function afterLack(state: State, sweep: Sweep, trial: Trial, lacks: string, why: string): Event {
  const all = lackedByAll(state, sweep, trial, lacks);
  if (all === null) return { kind: "TrialRequeued", trial: trial.trial, why, blame: false };
  return trialFinished(
    state,
    trial,
    "failed",
    `no agent that fits has what it needs: ${lackSentence(all)}; the last said: ${why}`,
  );
}

/**
 * RETRY-1: it failed on the same agent for the very same reason before, and no other that fits is there to try: it would
 * only do so again.
 */
function failedSoBefore(state: State, trial: Trial, attempt: Attempt, { ending, lacks, why }: End): boolean {
  if (ending !== "failed" || lacks !== undefined) return false;
  const failed = trial.attempts.filter((one) => one.ending === "failed");
  const again = failed.some(
    ({ agent, fence, note }) => fence !== attempt.fence && agent === attempt.agent && note === why,
  );
  if (!again) return false;
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  return !isUntriedSomewhere(state, sweep, trial);
}
