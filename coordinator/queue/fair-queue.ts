/**
 * Start-time fair queueing across requesters (Goyal, Vin, Cheng 1997): serve the smallest start
 * tag. Fair however capacity comes and goes. Pure arithmetic on tags; who has work is asked of the caller.
 *
 * SFQ-1: a service starts at S = max(V - catch-up / weight, F of the requester's last service).
 * SFQ-2: it finishes at F = S + cost / weight; V becomes S and never goes back.
 * SFQ-3: cost is an estimate until the attempt ends, then F is corrected to what was posted.
 * SFQ-4: an idle requester catches up by at most `catchUpMilliTokens` of service, however long it waited.
 *        The allowance is also what lets SFQ-3's corrections count, for they bring F below V.
 */
import { milliTokensPerToken } from "../../protocol/token.ts";

/** One lease's worth of the reference machine's work. */
export const catchUpMilliTokens = 15 * milliTokensPerToken;

export interface Tagged {
  readonly requester: string;
  readonly weight: number;
  readonly finishTag: number;
}

/** SFQ-1, SFQ-4. */
export function startTag(account: Tagged, virtualTime: number): number {
  return Math.max(virtualTime - catchUpMilliTokens / account.weight, account.finishTag);
}

/** SFQ-2: the tags after serving `account` at `cost` milli-tokens. */
export function serve(
  account: Tagged,
  virtualTime: number,
  cost: number,
): { readonly finishTag: number; readonly virtualTime: number } {
  const start = startTag(account, virtualTime);
  return { finishTag: start + cost / account.weight, virtualTime: Math.max(virtualTime, start) };
}

/** SFQ-3: the finish tag once the true cost of a service is known. */
export function correct(account: Tagged, charged: number, actual: number): number {
  return account.finishTag + (actual - charged) / account.weight;
}

/** Requesters by start tag, the next to be served first; equal tags by name, so that order is total. */
export function fairOrder<T extends Tagged>(accounts: Iterable<T>, virtualTime: number): T[] {
  return [...accounts].sort(
    (a, b) => startTag(a, virtualTime) - startTag(b, virtualTime) || (a.requester < b.requester ? -1 : 1),
  );
}
