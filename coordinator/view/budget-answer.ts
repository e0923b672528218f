/** Accounts as bank statements: each line with its trial and machine, and the account after it. */
import type { BudgetView } from "../../protocol/view.ts";
import { available } from "../budget/ledger.ts";
import { mustGet, type Account, type LedgerLine, type State } from "../state/state.ts";
import { startTag } from "../queue/fair-queue.ts";

export function budgetViewOf(state: State, requester: string | null, lines: number): BudgetView {
  const accounts = [...state.accounts.values()]
    .filter((account) => requester === null || account.requester === requester)
    .toSorted((a, b) => (a.requester < b.requester ? -1 : 1));
  return {
    accounts: accounts.map((account) => ({
      requester: account.requester,
      weight: account.weight,
      granted: account.granted,
      posted: account.posted,
      pending: account.pending,
      available: available(account, null),
      queued: (state.open.get(account.requester) ?? []).reduce(
        (sum, id) => sum + mustGet(state.sweeps, id, "sweep").counts.queued,
        0,
      ),
      startTag: startTag(account, state.meta.virtualTime, state.meta.at),
      refill: refillOf(account),
      sweepCap: account.sweepCap,
      lines: lines === 0 ? [] : (state.ledgers.get(account.requester) ?? []).slice(-lines).map(lineOf),
    })),
  };
}

function lineOf({ lease, ...line }: LedgerLine): BudgetView["accounts"][number]["lines"][number] {
  return { ...line, note: line.note === "" ? noteOf(line.kind, lease) : line.note };
}

function noteOf(kind: LedgerLine["kind"], lease: LedgerLine["lease"]): string {
  switch (kind) {
    case "refill":
      return "refill";
    case "reserve":
      return lease === null ? "" : `${Math.round(lease.horizonMs)} ms at ${lease.rate.toFixed(2)} tokens/s`;
    case "extend":
      return "horizon extended";
    case "release":
      return "not used";
    case "grant":
    case "post":
      return "";
  }
}

function refillOf({ refill, refilledAt }: Account) {
  return refill === null ? null : { ...refill, nextAt: refilledAt + refill.everyMs };
}
