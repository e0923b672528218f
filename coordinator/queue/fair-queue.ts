/**
 * Start-time fair queueing (Goyal, Vin, Cheng 1997): serve the smallest start tag. Fair however capacity comes
 * and goes. Used twice: between requesters, and between the sweeps of one requester. Pure arithmetic on tags; who has work
 * is asked of the caller.
 *
 * SFQ-1: a service starts at S = max(V - catch-up / weight, F of the flow's last service).
 * SFQ-2: it finishes at F = S + cost / weight; V becomes S and never goes back.
 * SFQ-3: cost is an estimate until the attempt ends, then F is corrected to what was posted; an attempt that
 *        outlives its estimate is charged as it goes on.
 * SFQ-4: an idle requester catches up by at most `catchUpMilliTokens` of service, however long it waited.
 *        The allowance is also what lets SFQ-3's corrections count, for they bring F below V.
 * SFQ-5: the memory of past service fades: F's distance from V halves every `memoryHalfLifeMs`.
 * SFQ-6: among the sweeps of one requester the higher priority goes first; equal ones share its turn by their weights.
 */
import { milliTokensPerToken } from "../../protocol/token.ts";

/** One lease's worth of the reference machine's work. */
export const catchUpMilliTokens = 15 * milliTokensPerToken;
/** A day, as in HTCondor's and Slurm's fair share. Budgets never fade. */
export const memoryHalfLifeMs = 24 * 60 * 60 * 1000;

export interface Tagged {
  readonly weight: number;
  readonly finishTag: number;
  /** When `finishTag` was set, ms. */
  readonly taggedAt: number;
}

/** SFQ-1, SFQ-4, SFQ-5. */
export function startTag({ finishTag, taggedAt, weight }: Tagged, virtualTime: number, at: number): number {
  const tag = Math.max(finishTag, virtualTime - catchUpMilliTokens / weight);
  const age = at - taggedAt;
  if (age <= 0) return tag;
  return virtualTime + (tag - virtualTime) * 2 ** (-age / memoryHalfLifeMs);
}

/** SFQ-2: the tags after serving `flow` at `cost` milli-tokens. */
export function serve(
  flow: Tagged,
  virtualTime: number,
  cost: number,
  at: number,
): { readonly finishTag: number; readonly virtualTime: number } {
  const start = startTag(flow, virtualTime, at);
  return { finishTag: start + cost / flow.weight, virtualTime: Math.max(virtualTime, start) };
}

/** SFQ-3: the finish tag once more is known of what a service costs. */
export function correct(flow: Tagged, charged: number, actual: number): number {
  return flow.finishTag + (actual - charged) / flow.weight;
}

/**
 * Flows by start tag, the next to be served first; equal tags by name, so that the order is total. One at a time: nearly
 * always the first can be served, and the rest need not be put in order.
 */
export function* fairOrder<T extends Tagged>(
  flows: Iterable<T>,
  nameOf: (flow: T) => string,
  virtualTime: number,
  at: number,
): Generator<T, void, void> {
  const left = [...flows];
  const tags = left.map((flow) => startTag(flow, virtualTime, at));
  while (left.length > 0) {
    let least = 0;
    for (let index = 1; index < left.length; index++) {
      if (isBefore(left, tags, index, least, nameOf)) least = index;
    }
    const flow = left[least];
    const last = left.pop();
    const lastTag = tags.pop();
    if (flow === undefined || last === undefined || lastTag === undefined) return;
    if (least < left.length) {
      left[least] = last;
      tags[least] = lastTag;
    }
    yield flow;
  }
}

function isBefore<T>(
  flows: readonly T[],
  tags: readonly number[],
  a: number,
  b: number,
  nameOf: (flow: T) => string,
): boolean {
  const one = tags[a] ?? Infinity;
  const other = tags[b] ?? Infinity;
  if (one !== other) return one < other;
  const [left, right] = [flows[a], flows[b]];
  return left !== undefined && right !== undefined && nameOf(left) < nameOf(right);
}
