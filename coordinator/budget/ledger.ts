/**
 * The two-phase ledger: a lease reserves the tokens of its horizon, its end posts what was used and
 * gives the rest back. Pure: which account and when is the caller's business.
 *
 * BUDGET-1: posted + pending ≤ granted, at every event.
 * BUDGET-2: each reservation resolves exactly once, by its attempt's end.
 * BUDGET-3: nothing is posted beyond what was reserved.
 * BUDGET-4: a sweep's own cap bounds its spent + pending in the same way.
 */
import { priceOf, timeFor, type MilliTokens } from "../../protocol/token.ts";

export interface Funds {
  readonly granted: MilliTokens;
  readonly posted: MilliTokens;
  readonly pending: MilliTokens;
}

export interface CappedSpending {
  readonly spent: MilliTokens;
  readonly pending: MilliTokens;
  /** Null: no cap of its own. */
  readonly cap: MilliTokens | null;
}

/** What may still be reserved by one sweep of this account. */
export function available(funds: Funds, sweep: CappedSpending | null): MilliTokens {
  const ofAccount = funds.granted - funds.posted - funds.pending;
  if (sweep === null || sweep.cap === null) return Math.max(0, ofAccount);
  return Math.max(0, Math.min(ofAccount, sweep.cap - sweep.spent - sweep.pending));
}

export interface HorizonLimits {
  /** The horizon a lease gets where money is no question, in ms. */
  readonly leaseMs: number;
  /** Below this a start is not worth its overhead, in ms. */
  readonly horizonMinMs: number;
}

export interface Reservation {
  readonly horizonMs: number;
  readonly amount: MilliTokens;
}

/** The prepaid horizon a new lease gets at a rate (tokens/s), or null when the funds are too small for any. */
export function reserve(free: MilliTokens, rate: number, limits: HorizonLimits): Reservation | null {
  const wanted = priceOf(limits.leaseMs, rate);
  if (wanted <= free) return { horizonMs: limits.leaseMs, amount: wanted };
  const horizonMs = timeFor(free, rate);
  if (horizonMs < limits.horizonMinMs) return null;
  return { horizonMs, amount: priceOf(horizonMs, rate) };
}

/** What the smallest lease at this rate would cost: the shortfall is measured against it. */
export function leastReservation(rate: number, limits: HorizonLimits): MilliTokens {
  return priceOf(limits.horizonMinMs, rate);
}

/** BUDGET-3: the charge for `usedMs` of training, never above the reservation. */
export function charge(usedMs: number, rate: number, reserved: MilliTokens): MilliTokens {
  return Math.min(reserved, priceOf(Math.max(0, usedMs), rate));
}
