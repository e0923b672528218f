/** What serving or correcting makes of the tags in both fair queues, between requesters and between a requester's sweeps. */
import { mustGet, type State, type Sweep } from "../state/state.ts";
import { correct, serve } from "./fair-queue.ts";

/** A tag is kept to a thousandth of a milli-token: nothing is decided by less, and all its digits would stand in the journal. */
const tagsPerMilliToken = 1_000;

/** After a service at `cost`: the account's finish tag, virtual time, the sweep's finish tag, virtual time among the account's sweeps. */
export function servedTags(
  state: State,
  sweep: Sweep,
  cost: number,
  at: number,
): [number, number, number, number] {
  const account = mustGet(state.accounts, sweep.requester, "account");
  const all = serve(account, state.meta.virtualTime, cost, at);
  const own = serve(sweep, account.sweepTime, cost, at);
  return [rounded(all.finishTag), rounded(all.virtualTime), rounded(own.finishTag), rounded(own.virtualTime)];
}

/** SFQ-3: the finish tags of account and sweep once more is known of what a service costs. */
export function correctedTags(state: State, sweep: Sweep, charged: number, actual: number): [number, number] {
  const account = mustGet(state.accounts, sweep.requester, "account");
  return [rounded(correct(account, charged, actual)), rounded(correct(sweep, charged, actual))];
}

function rounded(tag: number): number {
  return Math.round(tag * tagsPerMilliToken) / tagsPerMilliToken;
}
