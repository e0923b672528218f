/** Decides on what agents say about themselves: registering, heartbeat, silence. */
import type { Register, Heartbeat } from "../../protocol/report.ts";
import { priceOf } from "../../protocol/token.ts";
import { fundsFor } from "../budget/funds-for.ts";
import type { Part, Steps } from "../state/input.ts";
import { leaseExtended } from "./attempt-fact.ts";
import { endAttempt } from "./outcome.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { attemptByFence, mustGet, type Attempt, type State, type Trial } from "../state/state.ts";

export function* welcome(
  state: State,
  agent: string,
  register: Register,
  settings: CoordinatorSettings,
  isFull: () => boolean,
): Part {
  const known = state.agents.get(agent);
  const { incarnation, capability, policy } = register;
  const isNew =
    known === undefined ||
    known.incarnation !== incarnation ||
    !known.present ||
    JSON.stringify([known.capability, known.policy]) !== JSON.stringify([capability, policy]);
  if (isNew) yield { kind: "AgentJoined", agent, incarnation, capability, policy };
  // LEASE-2: what an earlier incarnation held died with its process; nothing runs there any more.
  for (const fence of [...(state.held.get(agent) ?? [])]) {
    const found = attemptByFence(state, fence);
    if (found !== null && found.attempt.incarnation !== incarnation) {
      if (isFull()) return false;
      yield* endAttempt(
        state,
        found.trial,
        found.attempt,
        { ending: "lost", why: "the agent was restarted" },
        settings,
      );
    }
  }
  return true;
}

export function* silence(state: State, agent: string): Steps {
  if (state.agents.get(agent)?.present === true) yield { kind: "AgentSilent", agent };
}

export function* hearHeartbeat(
  state: State,
  agent: string,
  heartbeat: Heartbeat,
  at: number,
  settings: CoordinatorSettings,
  isFull: () => boolean,
): Part {
  const known = state.agents.get(agent);
  if (known === undefined || known.incarnation !== heartbeat.incarnation) return true;
  if (!known.present) yield { kind: "AgentSeen", agent };
  if (known.closed !== heartbeat.closed) yield { kind: "AgentClosed", agent, reason: heartbeat.closed };
  for (const running of heartbeat.running) {
    const found = attemptByFence(state, running.fence);
    if (found === null || found.attempt.agent !== agent || isLeaving(found.attempt)) continue;
    if (isFull()) return false;
    yield* extend(state, found.trial, found.attempt, running.usedMs, at, settings);
  }
  return true;
}

/** One that leaves at its next checkpoint is still paid for up to there. */
function isLeaving({ cancel, patient }: Attempt): boolean {
  return cancel !== null && !patient;
}

/**
 * LEASE-3: a lease that runs low is extended by what the account can still pay for. What is reserved
 * always covers the time used so far and the whole horizon ahead.
 */
function* extend(
  state: State,
  trial: Trial,
  attempt: Attempt,
  usedMs: number,
  at: number,
  settings: CoordinatorSettings,
): Steps {
  const left = attempt.until - at;
  if (left > settings.leaseMs / 2 && !attempt.shifted) return;
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  const free = fundsFor(state, sweep);
  const wanted = Math.max(0, priceOf(usedMs + settings.leaseMs, attempt.rate) - attempt.reserved);
  if (wanted <= free) {
    yield leaseExtended(state, trial, attempt, at + settings.leaseMs, wanted);
    return;
  }
  // Not enough for a whole horizon: as far as the money goes, if that is further than now.
  const horizonMs = Math.floor((attempt.reserved + free) / attempt.rate - usedMs);
  if (horizonMs > left + settings.horizonMinMs || (attempt.shifted && horizonMs > 0)) {
    const added = Math.min(free, Math.max(0, priceOf(usedMs + horizonMs, attempt.rate) - attempt.reserved));
    yield leaseExtended(state, trial, attempt, at + horizonMs, added);
  }
}
