/** The part of `apply` about accounts and their tokens. */
import type { EventOf } from "../format/event.ts";
import type { State } from "../state/state.ts";
import { accountOf, addLine } from "./entity.ts";

export type AccountEvent = EventOf<"AccountOpened" | "AccountSet" | "TokensRefilled" | "TokensGranted">;

export function applyAccount(state: State, event: AccountEvent, at: number): void {
  switch (event.kind) {
    case "AccountOpened":
      accountOf(state, event.requester).weight = event.weight;
      return;
    case "AccountSet": {
      const account = accountOf(state, event.requester);
      account.weight = event.weight;
      account.sweepCap = event.sweepCap;
      account.refill = event.refill;
      account.refilledAt = event.refilledAt;
      return;
    }
    case "TokensRefilled": {
      const account = accountOf(state, event.requester);
      account.refilledAt = event.until;
      if (event.amount === 0) return;
      account.granted += event.amount;
      addLine(state, account, { at, kind: "refill", amount: event.amount });
      return;
    }
    case "TokensGranted": {
      const account = accountOf(state, event.requester);
      account.granted += event.amount;
      addLine(state, account, { at, kind: "grant", amount: event.amount, note: event.note });
      return;
    }
  }
}
