/** What a sweep may still reserve: its requester's account and its own cap, whichever is nearer. */
import type { MilliTokens } from "../../protocol/token.ts";
import { mustGet, type Account, type State, type Sweep } from "../state/state.ts";
import { available } from "./ledger.ts";

export function fundsFor(state: State, sweep: Sweep): MilliTokens {
  const account = mustGet(state.accounts, sweep.requester, "account");
  return available(account, { spent: sweep.spent, pending: sweep.pending, cap: capOf(account, sweep) });
}

/** BUDGET-4: the sweep's own cap or its account's cap for each sweep, whichever is lower; null where there is neither. */
export function capOf(account: Account, sweep: Sweep): MilliTokens | null {
  const caps = [sweep.spec.cap, account.sweepCap].filter((cap) => cap !== null);
  return caps.length === 0 ? null : Math.min(...caps);
}
