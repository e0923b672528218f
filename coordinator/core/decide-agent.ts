/** Decides on what agents say about themselves: registering, heartbeat, silence. */
import type { Register, Heartbeat } from "../../protocol/report.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { priceOf } from "../../protocol/token.ts";
import { fundsFor } from "../budget/funds-for.ts";
import type { Event } from "../format/event.ts";
import { leaseOf } from "../placement/horizon-limits.ts";
import { runningBeside, wantedHorizon } from "../placement/lease-horizon.ts";
import type { Part, Steps } from "../state/input.ts";
import { claimShifts } from "./claim-shift.ts";
import { leaseExtended } from "./attempt-fact.ts";
import { hearReplica } from "./hear-replica.ts";
import { endAttempt } from "./outcome.ts";
import { accuse } from "./quarantine.ts";
import { useAtHeartbeat, type HeardUse, type Moment } from "./use.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { attemptByFence, mustGet, type Attempt, type State, type Trial } from "../state/state.ts";

/**
 * LEASE-10: a registration that was long on its way, or comes of a second process under one name, does not take the place of a
 * later run, which would go on without anybody hearing it.
 */
export function superseded(state: State, agent: string, { incarnation }: Register): Outcome<null> {
  if (state.agents.get(agent)?.earlier.includes(incarnation) !== true) return accept(null);
  return refuse(
    "conflict",
    `agent ${agent} has been started again since, here or on another machine; one name is for one running agent`,
  );
}

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
  if (isNew) {
    const claims = known === undefined ? undefined : claimShifts(state, known, capability);
    const shifted = claims === undefined ? {} : { claims };
    yield { kind: "AgentJoined", agent, incarnation, capability, policy, ...shifted };
  }
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
  moment: Moment,
  isFull: () => boolean,
): Part {
  const known = state.agents.get(agent);
  if (known === undefined || known.incarnation !== heartbeat.incarnation) return true;
  // One that was on its way when the credential was taken back.
  if (known.revoked === true) return true;
  if (!known.present) yield { kind: "AgentSeen", agent };
  if (known.closed !== heartbeat.closed) yield { kind: "AgentClosed", agent, reason: heartbeat.closed };
  const words = new Map(heartbeat.running.map((word) => [word.fence, word]));
  // What it says of attempts that it does not hold is not looked at.
  for (const fence of state.held.get(agent) ?? []) {
    const found = attemptByFence(state, fence);
    if (found === null) continue;
    if (isFull()) return false;
    const { attempt, trial } = found;
    const use = useAtHeartbeat(attempt, words.get(fence), moment);
    yield* accuse(state, attempt, use.fault);
    const extension =
      words.has(fence) && !isLeaving(attempt) ? extend(state, trial, attempt, use, moment) : null;
    if (extension !== null) yield extension;
    else if (use.isNews) yield { kind: "AttemptMetered", fence, metered: use.fact };
    yield* hearReplica(state, trial, attempt, words.get(fence)?.replica);
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
function extend(
  state: State,
  trial: Trial,
  attempt: Attempt,
  { fact: metered, usedMs }: HeardUse,
  { at, settings }: Moment,
): Event | null {
  const left = attempt.until - at;
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  if (left > leaseOf(sweep, settings) / 2 && !attempt.shifted) return null;
  const free = fundsFor(state, sweep);
  const addedFor = (horizonMs: number) =>
    Math.max(0, priceOf(usedMs + horizonMs, attempt.rate) - attempt.reserved);
  const wantedMs = extensionMs(state, trial, attempt, free, settings);
  const wanted = addedFor(wantedMs);
  if (wanted <= free) {
    const until = at + wantedMs;
    const isFurther = until >= attempt.until + settings.heartbeatMs;
    return isFurther || attempt.shifted
      ? leaseExtended(state, trial, attempt, {
          until: Math.max(until, attempt.until),
          added: wanted,
          metered,
        })
      : null;
  }
  // Not enough for a whole horizon: as far as the money goes, if that is further than now. LEASE-7: never less far: what it has
  // used is known as of a while ago only, and its agent goes by what it was told before the election.
  const horizonMs = Math.floor((attempt.reserved + free) / attempt.rate - usedMs);
  const isWorth = horizonMs > left + (attempt.shifted ? 0 : settings.horizonMinMs);
  if (!isWorth) return null;
  const added = Math.min(free, addedFor(horizonMs));
  return leaseExtended(state, trial, attempt, { until: at + horizonMs, added, metered });
}

/** Where others live on the same funds no more than its part, but long enough for the next extension to come in time. */
function extensionMs(
  state: State,
  trial: Trial,
  { rate, target }: Attempt,
  free: number,
  settings: CoordinatorSettings,
): number {
  const { heartbeatMs } = settings;
  const sweep = mustGet(state.sweeps, trial.sweep, "sweep");
  const leaseMs = leaseOf(sweep, settings);
  const units = target - (trial.checkpoint?.resource ?? 0);
  const wanted = { state, sweep, trial, rate, free, leaseMs, units };
  return Math.min(leaseMs, Math.max(3 * heartbeatMs, wantedHorizon(wanted, runningBeside(wanted))));
}
