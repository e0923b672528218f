/** Decides on commands about accounts: open, grant, set. */
import type { CommandBody } from "../../protocol/command.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { formatTokens } from "../../protocol/token.ts";
import type { Decision, Sender } from "../state/input.ts";
import type { Account, State } from "../state/state.ts";

export function* grant(state: State, sender: Sender, body: CommandBody<"budget-grant">): Decision {
  const known = knownAccount(state, body.requester);
  if (!known.ok) return known;
  const account = known.value;
  const { requester, amount, note } = body;
  yield { kind: "TokensGranted", requester, amount, by: sender.who, note: note || `by ${sender.who}` };
  return accept({ requester, granted: account.granted });
}

function knownAccount(state: State, requester: string): Outcome<Account> {
  const account = state.accounts.get(requester);
  if (account !== undefined) return accept(account);
  const known = suggestion(requester, state.accounts.keys());
  return refuse("unknown", `there is no account ${requester}; ${known}`, ["requester"]);
}

export function* setAccount(
  state: State,
  _sender: Sender,
  body: CommandBody<"account-set">,
  at: number,
): Decision {
  const known = knownAccount(state, body.requester);
  if (!known.ok) return known;
  const { requester, ...present } = known.value;
  const { refill = present.refill, sweepCap = present.sweepCap, weight = present.weight } = body;
  if (refill !== null && refill.amount > refill.upTo) {
    const message = `a refill of ${formatTokens(refill.amount)} tokens does not fit into a bucket of ${formatTokens(refill.upTo)}; make upTo at least the amount`;
    return refuse("invalid", message, ["refill", "upTo"]);
  }
  // A refill that is new or changed counts from now.
  const isSame = JSON.stringify(refill) === JSON.stringify(present.refill);
  const refilledAt = isSame ? present.refilledAt : at;
  yield { kind: "AccountSet", requester, weight, refill, sweepCap, refilledAt };
  return accept({ requester, weight, refill, sweepCap });
}

export function* openAccount(state: State, sender: Sender, body: CommandBody<"account-open">): Decision {
  const { grant: amount, requester, weight } = body;
  const known = state.accounts.get(requester);
  if (known !== undefined && amount > 0) {
    const right = `\`trialmesh budget grant ${requester} ${formatTokens(amount)}\` does`;
    return refuse(
      "conflict",
      `the account of ${requester} is open already, and nothing was granted; ${right}`,
    );
  }
  const opened = known === undefined;
  const wanted = weight ?? known?.weight ?? 1;
  if (known?.weight !== wanted) yield { kind: "AccountOpened", requester, weight: wanted };
  if (amount > 0) yield { kind: "TokensGranted", requester, amount, by: sender.who, note: "opening grant" };
  return accept({ requester, opened });
}
