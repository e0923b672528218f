/**
 * Preemption for fairness: a requester below its share that has waited too long gets the slot of one above its share, at the
 * next checkpoint. Pure: says which attempt, and never ends it.
 *
 * PREEMPT-1: a requester at or below its share is never preempted, nor one that would fall below by it.
 * PREEMPT-2: the victim is the attempt with the least time since its last checkpoint, among agents that fit.
 * PREEMPT-3: one slot at a time is taken for a requester, and only after it waited `preemptAfterMs` without a service.
 * PREEMPT-5: a replica, which others may be asking, is a victim only where nothing else is.
 * PREEMPT-4: an attempt is left alone until it has run for `preemptAfterMs`, so that nobody only changes places.
 */
import { fundsFor } from "../budget/funds-for.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import {
  activeAttempt,
  mustGet,
  type Account,
  type Attempt,
  type State,
  type Sweep,
  type Trial,
} from "../state/state.ts";
import { sweepOrder } from "../queue/sweep-order.ts";
import { couldStart } from "./could-start.ts";
import { choiceOn } from "./feasible.ts";

export interface Preemption {
  readonly fence: number;
  readonly victim: string;
  readonly forTrial: Trial;
  readonly forRequester: string;
}

/** Slots each open requester holds, and how many are its share of all that are held, by weight. */
interface Standing {
  readonly held: number;
  readonly share: number;
}

export function choosePreemption(state: State, at: number, settings: CoordinatorSettings): Preemption | null {
  if (state.active.size === 0) return null;
  const running = runningAttempts(state);
  const standings = standingsOf(state, running, settings);
  const waiting = [...standings]
    .filter(([, { held, share }]) => held + 1 <= share)
    .sort(([a, left], [b, right]) => left.held / left.share - right.held / right.share || (a < b ? -1 : 1));
  for (const [requester] of waiting) {
    if (running.some(({ attempt }) => attempt.preemptedFor === requester)) continue;
    const account = mustGet(state.accounts, requester, "account");
    const trial = longWaiting(state, account, at, settings);
    if (trial === null) continue;
    const victim = victimFor(state, trial, running, standings, at, settings);
    if (victim === null) continue;
    return {
      fence: victim.attempt.fence,
      victim: victim.requester,
      forTrial: trial,
      forRequester: requester,
    };
  }
  return null;
}

interface Running {
  readonly attempt: Attempt;
  readonly requester: string;
  readonly isReplica: boolean;
}

function runningAttempts(state: State): Running[] {
  const running: Running[] = [];
  for (const id of state.active.values()) {
    const trial = mustGet(state.trials, id, "trial");
    const attempt = activeAttempt(trial);
    const { deployment, requester } = mustGet(state.sweeps, trial.sweep, "sweep");
    if (attempt !== null) running.push({ attempt, requester, isReplica: deployment !== undefined });
  }
  return running;
}

/** Shares count only requesters that hold slots or could use one. */
function standingsOf(
  state: State,
  running: readonly Running[],
  settings: CoordinatorSettings,
): Map<string, Standing> {
  const held = new Map<string, number>();
  for (const requester of state.open.keys()) {
    if (couldStart(state, requester, settings)) held.set(requester, 0);
  }
  for (const { requester } of running) held.set(requester, (held.get(requester) ?? 0) + 1);
  let weights = 0;
  for (const requester of held.keys()) weights += mustGet(state.accounts, requester, "account").weight;
  const standings = new Map<string, Standing>();
  for (const [requester, count] of held) {
    const { weight } = mustGet(state.accounts, requester, "account");
    standings.set(requester, { held: count, share: (running.length * weight) / weights });
  }
  return standings;
}

/** PREEMPT-3: its first trial, where it can be paid for and nothing of this requester was served lately. */
function longWaiting(
  state: State,
  account: Account,
  at: number,
  settings: CoordinatorSettings,
): Trial | null {
  const since = at - settings.preemptAfterMs;
  if (account.taggedAt > since && holdsAny(state, account.requester)) return null;
  for (const sweep of sweepOrder(state, account, at)) {
    if (fundsFor(state, sweep) === 0) continue;
    const trial = firstQueued(state, sweep);
    if (trial !== null && trial.queuedAt <= since) return trial;
  }
  return null;
}

function holdsAny(state: State, requester: string): boolean {
  return (state.open.get(requester) ?? []).some(
    (id) => mustGet(state.sweeps, id, "sweep").counts.running > 0,
  );
}

function firstQueued(state: State, sweep: Sweep): Trial | null {
  for (const queue of state.queues.get(sweep.sweep)?.values() ?? []) {
    const id = queue.first();
    if (id !== null) return mustGet(state.trials, id, "trial");
  }
  return null;
}

function victimFor(
  state: State,
  trial: Trial,
  running: readonly Running[],
  standings: ReadonlyMap<string, Standing>,
  at: number,
  settings: CoordinatorSettings,
): Running | null {
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  let best: Running | null = null;
  for (const one of running) {
    const { attempt, requester } = one;
    const standing = standings.get(requester);
    // PREEMPT-1.
    if (standing === undefined || standing.held - 1 < standing.share) continue;
    if (attempt.cancel !== null || attempt.state !== "running") continue;
    if (at - attempt.at < settings.preemptAfterMs) continue;
    const agent = state.agents.get(attempt.agent);
    if (agent === undefined || !agent.present || choiceOn(agent, sweep, trial.model) === null) continue;
    if (best === null || isBetterVictim(one, best)) best = one;
  }
  return best;
}

/** PREEMPT-5, PREEMPT-2. */
function isBetterVictim(one: Running, other: Running): boolean {
  if (one.isReplica !== other.isReplica) return other.isReplica;
  return one.attempt.keptAt > other.attempt.keptAt;
}
