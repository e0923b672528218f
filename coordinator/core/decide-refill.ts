/** Pays out the refills of accounts whose period has passed. */
import { available } from "../budget/ledger.ts";
import { refillDue } from "../budget/refill.ts";
import type { Part } from "../state/input.ts";
import type { State } from "../state/state.ts";

export function* refill(state: State, at: number, isFull: () => boolean): Part {
  for (const account of [...state.accounts.values()]) {
    if (account.refill === null) continue;
    const due = refillDue(account.refill, account.refilledAt, available(account, null), at);
    if (due === null) continue;
    if (isFull()) return false;
    yield { kind: "TokensRefilled", requester: account.requester, ...due };
  }
  return true;
}
