/** What a sweep may still reserve: its requester's account and its own cap, whichever is nearer. */
import type { MilliTokens } from "../../protocol/token.ts";
import { mustGet, type State, type Sweep } from "../core/state.ts";
import { available } from "./ledger.ts";

export function fundsFor(state: State, sweep: Sweep): MilliTokens {
  const account = mustGet(state.accounts, sweep.requester, "account");
  return available(account, { spent: sweep.spent, pending: sweep.pending, cap: sweep.spec.cap });
}
