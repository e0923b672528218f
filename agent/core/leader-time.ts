/**
 * What an agent knows of the leader's time, by which it is told when leases end and orders expire: how far its own monotonic
 * clock is from it, as a lower bound. What time of day it is on this machine, which may be wrong by years, is asked nowhere.
 *
 * CLOCK-3: a clock that stood still for a while, on either side, or goes at another pace, is noticed by the next beacon. An agent's,
 * and it would run past the end of its leases: they end at once. The leader's, and the agent would take every offer for too
 * late: it asks again.
 */
import type { AgentEffect } from "./agent-effect.ts";
import type { AgentState } from "./agent-state.ts";

/** A beacon that comes later than this, by what is known of the leader's time, is slow, or what is known is stale, ms. */
const staleAfterMs = 2_000;
/** Where beacons are slow the leader is not asked again and again, ms. */
const askAgainAfterMs = 10_000;

/**
 * The leader was asked at `askedAt` and read its clock, `at`, before it answered: taking the moment of asking for that of reading errs
 * towards stopping early.
 */
export function learnLeaderTime(state: AgentState, epoch: number, at: number, askedAt: number): void {
  const isKnownTerm = epoch === state.registeredIn;
  const before = state.clockOffset;
  state.clockOffset = askedAt - at;
  state.askedAt = askedAt;
  state.clockIsStale = false;
  // The leases of an earlier term ended by another clock.
  if (isKnownTerm) moveDeadlines(state, state.clockOffset - before);
}

/** A beacon of the term we are registered in, written at `at` by the leader's clock. */
export function checkLeaderTime(state: AgentState, at: number, now: number): AgentEffect[] {
  // It was written before it was heard, so the bound can be no higher than this.
  const highest = now - at;
  if (highest < state.clockOffset) {
    moveDeadlines(state, highest - state.clockOffset);
    state.clockOffset = highest;
    return [];
  }
  if (highest - state.clockOffset <= staleAfterMs || now - state.askedAt < askAgainAfterMs) return [];
  state.clockIsStale = true;
  return [{ kind: "register" }];
}

function moveDeadlines(state: AgentState, by: number): void {
  for (const held of state.held.values()) held.deadline += by;
}
