/**
 * How long a lease is paid for in advance. Where there is plenty that is a whole lease; where there is not, no more than the trial
 * will need, or its part of what there is, so that a budget that is enough for the work is enough for all of its trials at once.
 * How long at least: `horizon-limits.ts`. What it costs: `budget/ledger.ts`.
 *
 * LEASE-11: what one trial reserves beyond its needs keeps no other of its sweep from starting.
 */
import { capOf } from "../budget/funds-for.ts";
import { priceOf, timeFor, type MilliTokens } from "../../protocol/token.ts";
import { mustGet, type State, type Sweep, type Trial } from "../state/state.ts";
import { expectedMs } from "./expected-work.ts";
import { requestOfAny } from "./feasible.ts";

/** Where more was expected of others it still gets so many times what is expected of it, and no more than so many times. */
const needMarginMin = 2;
const needMarginMax = 4;
/** Of the slots that a sweep could fill, so many are counted: more would share what there is into too little. */
const slotsCountedMax = 64;

interface Wanted {
  readonly state: State;
  readonly sweep: Sweep;
  readonly trial: Trial;
  readonly rate: number;
  readonly free: MilliTokens;
  readonly leaseMs: number;
  /** Epochs it still has to make. */
  readonly units: number;
}

/** The horizon to ask for, ms; what the funds allow of it is another question. `sharers`: others that live on the same funds. */
export function wantedHorizon(wanted: Wanted, sharers: number): number {
  const { free, leaseMs, rate, state, sweep, trial, units } = wanted;
  const shares = sharers + 1;
  if (shares === 1 || free >= shares * priceOf(leaseMs, rate)) return leaseMs;
  const shareMs = timeFor(Math.floor(free / shares), rate);
  const needMs = expectedMs(state, sweep, trial.model, { rate, units });
  if (needMs === null) return Math.min(leaseMs, shareMs);
  return Math.min(leaseMs, needMarginMax * needMs, Math.max(shareMs, needMarginMin * needMs));
}

/** Trials beside this one that could start at once: as many as are left, and as there are slots for them. */
export function couldStartBeside({ free, leaseMs, rate, state, sweep, trial }: Wanted): number {
  const left = Math.min(slotsCountedMax, sweep.counts.queued + sweep.total - sweep.proposed - 1);
  // Enough for all of them: nothing to count.
  if (free >= (left + 1) * priceOf(leaseMs, rate)) return 0;
  const { key, request } = requestOfAny(sweep, trial.model);
  let slots = 0;
  for (const group of state.fleet.freeGroups()) {
    if (state.fleet.backendsOn(group, request, key).length === 0) continue;
    for (const name of group.free) {
      const { policy } = mustGet(state.agents, name, "agent");
      slots += policy.slots - (state.held.get(name)?.size ?? 0);
      if (slots > left) return left;
    }
  }
  return Math.max(0, slots - 1);
}

/** Attempts beside this one that will want more of the same funds: its sweep's where that has a cap, else its account's. */
export function runningBeside({ state, sweep }: Wanted): number {
  const account = mustGet(state.accounts, sweep.requester, "account");
  if (capOf(account, sweep) !== null) return Math.max(0, sweep.counts.running - 1);
  const open = state.open.get(sweep.requester) ?? [];
  return open.reduce((sum, id) => sum + mustGet(state.sweeps, id, "sweep").counts.running, -1);
}
