/**
 * The state as entities under keys, for the store, and back. Loading rebuilds what is derived.
 * Pure: reading and writing the store is the journal follower's work.
 */
import { isFinal } from "./apply-trial.ts";
import { enterRung } from "./entity.ts";
import { indexAgent, indexData, indexFurthest, indexQueued, openSweep } from "./index-state.ts";
import {
  activeAttempt,
  emptyState,
  mustGet,
  type Account,
  type CostHistory,
  type DatasetRecord,
  type Agent,
  type LedgerLine,
  type Meta,
  type Model,
  type State,
  type Sweep,
  type Trial,
} from "../state/state.ts";

/** Bumped when an entity changes its shape; an older store is rebuilt from the journal. */
export const projectionVersion = 3;

/** The entity under a dirty key, or undefined where it is to be removed. */
export function entityAt(state: State, key: string): unknown {
  // Asked some five times for every trial: no lists are made of a key.
  const slash = key.indexOf("/");
  const kind = slash < 0 ? key : key.slice(0, slash);
  const name = slash < 0 ? "" : key.slice(slash + 1);
  switch (kind) {
    case "meta":
      return state.meta;
    case "account":
      return state.accounts.get(name);
    case "ledger": {
      const [requester = "", number = "0"] = name.split("/");
      return state.ledgers.get(requester)?.[Number(number) - 1];
    }
    case "agent":
      return state.agents.get(name);
    case "sweep":
      return state.sweeps.get(name);
    case "trial":
      return state.trials.get(name);
    case "dataset":
      return state.datasets.get(name);
    case "model":
      return state.models.get(name);
    case "recipe":
      return [...state.fingerprints].find(([, number]) => String(number) === name)?.[0];
    case "cost":
      return state.costs.get(name);
    case "command":
      return state.commands.has(name) ? { value: state.commands.get(name) } : undefined;
    default:
      throw new Error(`broken invariant: no entity is called ${key}`);
  }
}

/** Reads entities (a store's `range`) into a state. The store is ours: its shapes are trusted by version. */
export function loadState(range: (prefix: string) => Iterable<readonly [string, unknown]>): State {
  const state = emptyState();
  for (const [, value] of range("meta")) Object.assign(state.meta, value as Meta);
  for (const account of values<Account>(range("account/"))) {
    state.accounts.set(account.requester, account);
    state.ledgers.set(account.requester, []);
  }
  for (const [key, line] of range("ledger/")) {
    mustGet(state.ledgers, key.split("/")[1] ?? "", "ledger").push(line as LedgerLine);
  }
  for (const agent of values<Agent>(range("agent/"))) state.agents.set(agent.agent, agent);
  const sweeps = [...values<Sweep>(range("sweep/"))].sort((a, b) => idNumber(a.sweep) - idNumber(b.sweep));
  for (const sweep of sweeps) {
    state.sweeps.set(sweep.sweep, sweep);
    if (sweep.finishedAt === null) openSweep(state, sweep);
  }
  const trials = [...values<Trial>(range("trial/"))].sort(
    (a, b) => idNumber(a.sweep) - idNumber(b.sweep) || a.number - b.number,
  );
  for (const trial of trials) state.trials.set(trial.trial, trial);
  for (const record of values<DatasetRecord>(range("dataset/"))) state.datasets.set(record.dataset, record);
  for (const model of values<Model>(range("model/"))) state.models.set(model.model, model);
  for (const [key, text] of range("recipe/"))
    state.fingerprints.set(text as string, Number(key.split("/")[1]));
  for (const [key, stored] of range("command/")) {
    state.commands.set(key.slice("command/".length), (stored as { value: unknown }).value);
  }
  for (const cost of values<CostHistory>(range("cost/"))) state.costs.set(cost.kind, cost);
  for (const trial of trials) derive(state, trial);
  const queued = trials.filter((trial) => trial.state === "queued").sort((a, b) => a.order - b.order);
  for (const trial of queued) indexQueued(state, trial);
  for (const agent of state.agents.keys()) indexAgent(state, agent);
  return state;
}

function derive(state: State, trial: Trial): void {
  if (trial.record && isFinal(trial.state)) state.records.set(trial.key, trial.trial);
  if (state.keys.has(trial.sweep)) {
    mustGet(state.keys, trial.sweep, "keys of").add(trial.key);
    for (const rung of trial.rungs) enterRung(state, trial, rung.resource);
  }
  indexFurthest(state, trial);
  const dataset = mustGet(state.sweeps, trial.sweep, "sweep").spec.dataset?.digest;
  for (const { agent } of trial.attempts) indexData(state, dataset, agent);
  const attempt = activeAttempt(trial);
  if (attempt === null) return;
  state.active.set(attempt.fence, trial.trial);
  const held = state.held.get(attempt.agent) ?? new Set();
  held.add(attempt.fence);
  state.held.set(attempt.agent, held);
}

function* values<T>(entries: Iterable<readonly [string, unknown]>): Iterable<T> {
  for (const [, value] of entries) yield value as T;
}

function idNumber(sweep: string): number {
  return Number(sweep.slice(1));
}
