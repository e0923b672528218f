/**
 * The state as entities under keys, for the store, and back. Loading rebuilds what is derived.
 * Pure: reading and writing the store is the journal follower's work.
 */
import type * as z from "zod";
import {
  accountEntity,
  commandEntity,
  costEntity,
  ledgerEntity,
  metaEntity,
  workEntity,
} from "../format/account-entity.ts";
import { agentEntity } from "../format/agent-entity.ts";
import { archiveEntity } from "../format/archive-entity.ts";
import { markEntity, pinEntity } from "../format/artifact-entity.ts";
import { deploymentEntity } from "../format/deployment-entity.ts";
import { datasetEntity, modelEntity } from "../format/registry-entity.ts";
import { sweepEntity } from "../format/sweep-entity.ts";
import { packEntity, trialEntity } from "../format/trial-entity.ts";
import { awaitArchive, indexArchive } from "./apply-archive.ts";
import { indexMark } from "./apply-artifact.ts";
import { isFinal } from "./apply-trial.ts";
import { enterRung } from "./entity.ts";
import {
  indexAgent,
  indexData,
  indexFurthest,
  indexGoing,
  indexPack,
  indexQueued,
  openSweep,
} from "./index-state.ts";
import { activeAttempt, emptyState, mustGet, type State, type Trial } from "../state/state.ts";

/** Raised when an entity changes its shape or its key; a store of another version is built anew from the journal. */
export const projectionVersion = 9;

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
    case "pack":
      return state.packs.get(Number(name));
    case "dataset":
      return state.datasets.get(name);
    case "model":
      return state.models.get(name);
    case "deployment":
      return state.deployments.get(name);
    case "fingerprint":
      return [...state.fingerprints].find(([, number]) => String(number) === name)?.[0];
    case "cost":
      return state.costs.get(name);
    case "work":
      return state.works.get(name);
    case "command":
      return state.commands.get(name);
    case "pin":
      return state.pins.get(name);
    case "mark":
      return state.marks.get(Number(name));
    case "archive":
      return state.archives.get(Number(name));
    default:
      throw new Error(`broken invariant: no entity is called ${key}`);
  }
}

type Range = (prefix: string) => Iterable<readonly [string, unknown]>;

/**
 * Reads entities (a store's `range`) into a state. Throws where one is not what this version writes: the store is a cache then
 * that is good for nothing.
 */
export function loadState(range: Range): State {
  const state = emptyState();
  for (const meta of entities(range, "meta", metaEntity)) Object.assign(state.meta, meta);
  for (const account of entities(range, "account/", accountEntity)) {
    state.accounts.set(account.requester, account);
    state.ledgers.set(account.requester, []);
  }
  for (const [key, line] of range("ledger/")) {
    mustGet(state.ledgers, key.split("/")[1] ?? "", "ledger").push(ledgerEntity.parse(line));
  }
  for (const agent of entities(range, "agent/", agentEntity)) state.agents.set(agent.agent, agent);
  const sweeps = [...entities(range, "sweep/", sweepEntity)].sort(
    (a, b) => idNumber(a.sweep) - idNumber(b.sweep),
  );
  for (const sweep of sweeps) {
    state.sweeps.set(sweep.sweep, sweep);
    if (sweep.finishedAt === null) openSweep(state, sweep);
  }
  const trials = [...entities(range, "trial/", trialEntity)].sort(
    (a, b) => idNumber(a.sweep) - idNumber(b.sweep) || a.number - b.number,
  );
  for (const trial of trials) state.trials.set(trial.trial, trial);
  for (const pack of entities(range, "pack/", packEntity)) indexPack(state, pack);
  for (const record of entities(range, "dataset/", datasetEntity)) state.datasets.set(record.dataset, record);
  for (const model of entities(range, "model/", modelEntity)) state.models.set(model.model, model);
  for (const one of entities(range, "deployment/", deploymentEntity))
    state.deployments.set(one.deployment, one);
  for (const [key, text] of range("fingerprint/"))
    state.fingerprints.set(String(text), Number(key.split("/")[1]));
  loadCommands(state, range);
  for (const cost of entities(range, "cost/", costEntity)) state.costs.set(cost.kind, cost);
  for (const work of entities(range, "work/", workEntity)) state.works.set(work.work, work);
  for (const pin of entities(range, "pin/", pinEntity)) state.pins.set(pin.digest, pin);
  const marks = [...entities(range, "mark/", markEntity)].sort((a, b) => a.mark - b.mark);
  for (const mark of marks) {
    state.marks.set(mark.mark, mark);
    indexMark(state, mark);
  }
  // What is gone is known by now.
  for (const trial of trials) derive(state, trial);
  for (const trial of trials) if (isFinal(trial.state)) awaitArchive(state, trial);
  const archives = [...entities(range, "archive/", archiveEntity)].sort((a, b) => a.archive - b.archive);
  for (const archive of archives) indexArchive(state, archive);
  const queued = trials.filter((trial) => trial.state === "queued").sort((a, b) => a.order - b.order);
  for (const trial of queued) indexQueued(state, trial);
  for (const agent of state.agents.keys()) indexAgent(state, agent);
  return state;
}

/** The store has them by key; the state, oldest first. */
function loadCommands(state: State, range: Range): void {
  const commands = [...range("command/")].map(
    ([key, stored]) => [key.slice("command/".length), commandEntity.parse(stored)] as const,
  );
  for (const [key, command] of commands.sort(([, a], [, b]) => a.at - b.at)) state.commands.set(key, command);
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
  if (attempt.cancel === null) indexGoing(state, trial.sweep, attempt.fence);
  const held = state.held.get(attempt.agent) ?? new Set();
  held.add(attempt.fence);
  state.held.set(attempt.agent, held);
}

function* entities<T>(range: Range, prefix: string, schema: z.ZodType<T>): Iterable<T> {
  for (const [, value] of range(prefix)) yield schema.parse(value);
}

function idNumber(sweep: string): number {
  return Number(sweep.slice(1));
}
