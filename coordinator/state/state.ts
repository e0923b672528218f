/**
 * The coordinator's state: what the journal's events add up to, and nothing else.
 * Entities are plain data, each stored under one key of the projection, with a schema of its own (`format/`); what
 * stands under "derived" is rebuilt from them. Only `apply` changes any of it.
 */
import type * as z from "zod";
import type { Digest, Fence, SweepId, TrialId } from "../../protocol/id.ts";
import type {
  accountEntity,
  commandEntity,
  costEntity,
  ledgerEntity,
  metaEntity,
  workEntity,
} from "../format/account-entity.ts";
import type { agentEntity } from "../format/agent-entity.ts";
import type { archiveEntity } from "../format/archive-entity.ts";
import type { markEntity, pinEntity } from "../format/artifact-entity.ts";
import type { deploymentEntity } from "../format/deployment-entity.ts";
import type { datasetEntity, modelEntity } from "../format/registry-entity.ts";
import type { StoredRefill, StoredRetention } from "../format/stored-value.ts";
import type { sweepEntity } from "../format/sweep-entity.ts";
import type { packEntity, trialEntity } from "../format/trial-entity.ts";
import { Fleet } from "./fleet.ts";
import type { TrialQueue } from "./trial-queue.ts";

export type Meta = z.infer<typeof metaEntity>;
export type Account = z.infer<typeof accountEntity>;
export type Refill = Readonly<StoredRefill>;
export type LedgerLine = Readonly<z.infer<typeof ledgerEntity>>;
export type CostHistory = Readonly<z.infer<typeof costEntity>>;
export type WorkHistory = Readonly<z.infer<typeof workEntity>>;
export type WorkSample = Readonly<WorkHistory["samples"][number]>;
export type LogMeans = Omit<CostHistory, "kind">;
export type Command = Readonly<z.infer<typeof commandEntity>>;
export type Agent = z.infer<typeof agentEntity>;
export type Speed = Agent["speed"][string];
export type Sweep = z.infer<typeof sweepEntity>;
export type Trial = z.infer<typeof trialEntity>;
export type Rung = Trial["rungs"][number];
export type Attempt = Trial["attempts"][number];
export type Meter = Readonly<Attempt["meter"]>;
export type Ending = NonNullable<Attempt["ending"]>;
export type Pack = z.infer<typeof packEntity>;
export type Model = z.infer<typeof modelEntity>;
export type Version = Model["versions"][number];
export type Pin = Readonly<z.infer<typeof pinEntity>>;
export type Mark = z.infer<typeof markEntity>;
export type Archive = Readonly<z.infer<typeof archiveEntity>>;
export type Retention = Readonly<StoredRetention>;
export type Deployment = z.infer<typeof deploymentEntity>;
export type DatasetRecord = z.infer<typeof datasetEntity>;

export interface State {
  readonly meta: Meta;
  readonly accounts: Map<string, Account>;
  readonly ledgers: Map<string, LedgerLine[]>;
  readonly agents: Map<string, Agent>;
  readonly sweeps: Map<SweepId, Sweep>;
  readonly trials: Map<TrialId, Trial>;
  /** Packs of small checkpoints, by what they are called. */
  readonly packs: Map<number, Pack>;
  readonly datasets: Map<string, DatasetRecord>;
  readonly models: Map<string, Model>;
  readonly deployments: Map<string, Deployment>;
  /** Canonical text of everything but model and parameters that a result depends on → its number. */
  readonly fingerprints: Map<string, number>;
  /** By kind of task: what a unit of resource has cost. */
  readonly costs: Map<string, CostHistory>;
  /** By kind of work, its newest attempts: what estimates rest on. */
  readonly works: Map<string, WorkHistory>;
  /** Accepted commands by idempotency key, oldest first. */
  readonly commands: Map<string, Command>;
  /** By digest: what somebody keeps, whatever refers to it. */
  readonly pins: Map<Digest, Pin>;
  /** Artifacts that are to go, or have gone, by the number of their mark. */
  readonly marks: Map<number, Mark>;
  /** Where curves and logs of ended trials lie. */
  readonly archives: Map<number, Archive>;

  // Derived.
  /** Attempts that have not ended, by fence. */
  readonly active: Map<Fence, TrialId>;
  /** Fences held by each agent. */
  readonly held: Map<string, Set<Fence>>;
  /** Of these, by sweep, what nobody has asked to end. */
  readonly going: Map<SweepId, Set<Fence>>;
  /** Sweeps that are running or stopping, by requester, in order of submission. */
  readonly open: Map<string, SweepId[]>;
  /** The trial that answers for a key. */
  readonly records: Map<string, TrialId>;
  /** Keys each open sweep has proposed, so that no duplicate runs. */
  readonly keys: Map<SweepId, Set<string>>;
  /** Trials that have reached each rung, by sweep and resource. */
  readonly rungs: Map<SweepId, Map<number, TrialId[]>>;
  /** Queued trials of each open sweep, by model. */
  readonly queues: Map<SweepId, Map<string, TrialQueue>>;
  readonly fleet: Fleet;
  /** By warm-start key, model and parameters: the trial that has trained furthest. */
  readonly furthest: Map<string, TrialId>;
  /** Agents that have had a dataset, by its digest. */
  readonly dataAt: Map<Digest, Set<string>>;
  /** The pack in which a digest lies. */
  readonly packed: Map<Digest, number>;
  /** Open sweeps of which something changed that may let them propose or end. */
  readonly attention: Set<SweepId>;
  /** Open sweeps whose sampler learns and that want another proposal. */
  readonly wanting: Set<SweepId>;
  /** By digest of what is marked and still there: its mark. */
  readonly marked: Map<Digest, number>;
  /** By digest of what is gone: its mark. */
  readonly gone: Map<Digest, number>;
  /** Marks that are not yet at their end. */
  readonly openMarks: Set<number>;
  /** By sweep, trials that have ended, were once handed out, and are in no archive; in the order in which they ended. */
  readonly unarchived: Map<SweepId, Set<TrialId>>;
  /** By sweep, the archives of its trials. */
  readonly archivesOf: Map<SweepId, number[]>;

  /** Keys of entities changed since the projection was last written. */
  readonly dirty: Set<string>;
}

export function emptyState(): State {
  return {
    meta: {
      epoch: 0,
      leader: "",
      at: 0,
      nextSweep: 1,
      nextFence: 1,
      virtualTime: 0,
      nextFingerprint: 1,
      nextOrder: 1,
    },
    accounts: new Map(),
    ledgers: new Map(),
    agents: new Map(),
    sweeps: new Map(),
    trials: new Map(),
    packs: new Map(),
    datasets: new Map(),
    models: new Map(),
    deployments: new Map(),
    fingerprints: new Map(),
    costs: new Map(),
    works: new Map(),
    commands: new Map(),
    pins: new Map(),
    marks: new Map(),
    archives: new Map(),
    active: new Map(),
    held: new Map(),
    going: new Map(),
    open: new Map(),
    records: new Map(),
    keys: new Map(),
    rungs: new Map(),
    queues: new Map(),
    fleet: new Fleet(),
    furthest: new Map(),
    dataAt: new Map(),
    packed: new Map(),
    attention: new Set(),
    wanting: new Set(),
    marked: new Map(),
    gone: new Map(),
    openMarks: new Set(),
    unarchived: new Map(),
    archivesOf: new Map(),
    dirty: new Set(),
  };
}

/** A lookup that must succeed: a miss is a broken invariant, not a refusal. */
export function mustGet<K, V>(map: ReadonlyMap<K, V>, key: K, what: string): V {
  const value = map.get(key);
  if (value === undefined) throw new Error(`broken invariant: no ${what} ${String(key)}`);
  return value;
}

/** The attempt of a trial that has not ended, if any. */
export function activeAttempt(trial: Trial): Attempt | null {
  const last = trial.attempts.at(-1);
  return last !== undefined && last.state !== "ended" ? last : null;
}

export function attemptByFence(state: State, fence: Fence): { trial: Trial; attempt: Attempt } | null {
  const id = state.active.get(fence);
  if (id === undefined) return null;
  const trial = mustGet(state.trials, id, "trial");
  const attempt = activeAttempt(trial);
  return attempt !== null && attempt.fence === fence ? { trial, attempt } : null;
}
