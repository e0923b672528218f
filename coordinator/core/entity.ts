/** Entities made or looked up while applying events, each marked dirty as it is handed out for change. */
import type { Digest } from "../../protocol/id.ts";
import {
  mustGet,
  type Account,
  type Agent,
  type LedgerLine,
  type State,
  type Sweep,
  type Trial,
} from "../state/state.ts";

/** The requester's account; one that does not exist yet starts at weight 1 with nothing granted. */
export function accountOf(state: State, requester: string): Account {
  let account = state.accounts.get(requester);
  if (account === undefined) {
    account = {
      requester,
      weight: 1,
      granted: 0,
      posted: 0,
      pending: 0,
      finishTag: 0,
      taggedAt: 0,
      sweepTime: 0,
      refill: null,
      refilledAt: 0,
      sweepCap: null,
      lines: 0,
    };
    state.accounts.set(requester, account);
    state.ledgers.set(requester, []);
  }
  state.dirty.add(`account/${requester}`);
  return account;
}

export function agentOf(state: State, agent: string): Agent {
  state.dirty.add(`agent/${agent}`);
  return mustGet(state.agents, agent, "agent");
}

export function sweepOf(state: State, sweep: string): Sweep {
  state.dirty.add(`sweep/${sweep}`);
  return mustGet(state.sweeps, sweep, "sweep");
}

export function trialOf(state: State, trial: string): Trial {
  state.dirty.add(`trial/${trial}`);
  return mustGet(state.trials, trial, "trial");
}

/** Adds a line to the requester's statement, with the account as it stands after it. */
export function addLine(
  state: State,
  account: Account,
  line: Pick<LedgerLine, "at" | "kind" | "amount"> &
    Partial<Pick<LedgerLine, "trial" | "fence" | "agent" | "note" | "lease">>,
): void {
  const { granted, posted, pending } = account;
  const lines = mustGet(state.ledgers, account.requester, "ledger");
  const { agent = null, amount, at, fence = null, kind, lease = null, note = "", trial = null } = line;
  lines.push({ at, kind, amount, trial, fence, agent, note, lease, granted, posted, pending });
  account.lines = lines.length;
  state.dirty.add(`ledger/${account.requester}/${lineNumber(lines.length)}`);
}

/** Lines sort as text in the store, so their numbers have a fixed width. */
export function lineNumber(number: number): string {
  return String(number).padStart(9, "0");
}

/** Enters a trial among those that have reached a rung, where its sweep is still open. */
export function enterRung(state: State, trial: Trial, resource: number): void {
  const rungs = mustGet(state.rungs, trial.sweep, "rungs of");
  const there = rungs.get(resource) ?? [];
  there.push(trial.trial);
  rungs.set(resource, there);
}

/** A digest lies in this pack from now on, unless it lies in another. */
export function notePacked(state: State, pack: number, digest: Digest): void {
  if (state.packed.has(digest)) return;
  const known = state.packs.get(pack) ?? { pack, digests: [] };
  known.digests.push(digest);
  state.packs.set(pack, known);
  state.packed.set(digest, pack);
  state.dirty.add(`pack/${pack}`);
}
