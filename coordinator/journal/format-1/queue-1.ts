/** The fair queues' tags and charges as format 1 left them to its reader. Frozen with that format: today's are in `queue/`. */
import type { Account, State, Sweep, Trial } from "../../state/state.ts";
import type { Event1Of } from "./event-1.ts";

const catchUpMilliTokens = 15_000;
const memoryHalfLifeMs = 86_400_000;
const firstGuessShare = 0.125;

type Flow = Pick<Account, "weight" | "finishTag" | "taggedAt">;

function startTag({ finishTag, taggedAt, weight }: Flow, virtualTime: number, at: number): number {
  const tag = Math.max(finishTag, virtualTime - catchUpMilliTokens / weight);
  const age = at - taggedAt;
  if (age <= 0) return tag;
  return virtualTime + (tag - virtualTime) * 2 ** (-age / memoryHalfLifeMs);
}

export function served1(
  state: State,
  account: Account,
  sweep: Sweep,
  charged: number,
  at: number,
): [number, number, number, number] {
  const all = startTag(account, state.meta.virtualTime, at);
  const own = startTag(sweep, account.sweepTime, at);
  return [
    all + charged / account.weight,
    Math.max(state.meta.virtualTime, all),
    own + charged / sweep.weight,
    Math.max(account.sweepTime, own),
  ];
}

export function corrected1(
  account: Account,
  sweep: Sweep,
  charged: number,
  actual: number,
): [number, number] {
  const more = actual - charged;
  return [account.finishTag + more / account.weight, sweep.finishTag + more / sweep.weight];
}

export function charged1(state: State, sweep: Sweep, trial: Trial, offer: Event1Of<"LeaseOffered">): number {
  return Math.min(offer.reserved, expectedCost(state, sweep, trial, offer));
}

function expectedCost(
  state: State,
  sweep: Sweep,
  trial: Trial,
  { from, reserved, target }: Event1Of<"LeaseOffered">,
): number {
  if (sweep.typicalCost !== null) return sweep.typicalCost;
  const history = state.costs.get(`${sweep.spec.task}/${trial.model}`);
  if (history === undefined) return Math.ceil(reserved * firstGuessShare);
  const rows = Math.max(1, sweep.spec.dataset?.rows.train ?? 1);
  return Math.ceil(Math.exp(history.mean) * rows * (target - (from?.resource ?? 0)));
}
