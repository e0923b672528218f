/**
 * Refills as a token bucket: so many tokens each period, while less than the bucket holds is available. Pure.
 *
 * BUDGET-5: a refill never lifts what is available above its `upTo`, and pays each period at most once.
 */
import type { MilliTokens } from "../../protocol/token.ts";
import type { Refill } from "../state/state.ts";

export interface RefillDue {
  readonly amount: MilliTokens;
  /** Up to when it is paid out then, ms. */
  readonly until: number;
}

/** What is due at `at`, or null before the next period has passed. `amount` is 0 where the bucket is full. */
export function refillDue(
  refill: Refill,
  refilledAt: number,
  available: MilliTokens,
  at: number,
): RefillDue | null {
  const periods = Math.floor((at - refilledAt) / refill.everyMs);
  if (periods < 1) return null;
  const room = Math.max(0, refill.upTo - available);
  return { amount: Math.min(room, periods * refill.amount), until: refilledAt + periods * refill.everyMs };
}
