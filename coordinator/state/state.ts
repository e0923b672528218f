/**
 * The coordinator's state: what the journal's events add up to, and nothing else.
 * Entities are plain data, each stored under one key of the projection; what stands under
 * "derived" is rebuilt from them. Only `apply` changes any of it.
 */
import type { DatasetVersionView } from "../../protocol/dataset-view.ts";
import type { Capability, Policy, BackendName } from "../../protocol/capability.ts";
import type { Digest, Fence, SweepId, TrialId } from "../../protocol/id.ts";
import type { Checkpoint } from "../../protocol/order.ts";
import type { Metrics } from "../../protocol/report.ts";
import type { Params } from "../../protocol/value.ts";
import type { BuiltDataset, DatasetRef } from "../../protocol/dataset.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import type { MilliTokens } from "../../protocol/token.ts";
import { Fleet } from "./fleet.ts";
import type { TrialQueue } from "./trial-queue.ts";
import type { AliasMoveView, LedgerLineView } from "../../protocol/view.ts";
import type { TrialState } from "../../protocol/life.ts";

export interface Meta {
  epoch: number;
  leader: string;
  /** Time of the last batch, ms since the Unix epoch; never goes back. */
  at: number;
  nextSweep: number;
  nextFence: Fence;
  /** Virtual time of the fair queue: the start tag of the last requester served. */
  virtualTime: number;
  nextFingerprint: number;
  /** Number of the next place in a queue. */
  nextOrder: number;
}

/** A token bucket: `amount` more every `everyMs`, while less than `upTo` is available. */
export interface Refill {
  readonly amount: MilliTokens;
  readonly everyMs: number;
  readonly upTo: MilliTokens;
}

export interface Account {
  requester: string;
  weight: number;
  granted: MilliTokens;
  posted: MilliTokens;
  pending: MilliTokens;
  /** Finish tag of this requester's last service in the fair queue, and when it was set. */
  finishTag: number;
  taggedAt: number;
  /** Virtual time among this requester's own sweeps. */
  sweepTime: number;
  refill: Refill | null;
  /** Up to when the refill has been paid out, ms. */
  refilledAt: number;
  /** The most any one sweep of this account may spend; null: no such limit. */
  sweepCap: MilliTokens | null;
  lines: number;
}

export interface Agent {
  agent: string;
  incarnation: string;
  capability: Capability;
  policy: Policy;
  present: boolean;
  /** Why the owner's policy takes no work just now; null when it does. */
  closed: string | null;
  draining: boolean;
  /** Takes no new work; what runs there goes on. */
  cordoned: boolean;
  /** Why the coordinator quarantined it; null where it did not. */
  cordonReason: string | null;
  /** Trials in a row that failed here and that others then finished. */
  contradicted: number;
  /** What real trials showed of its speed, by kind of task. */
  speed: Record<string, Speed>;
}

/** Measured speed over what the agent's probe claimed, as a natural logarithm, and from how many attempts. */
export interface Speed {
  logFactor: number;
  attempts: number;
}

/** Natural logarithms of an amount: their mean, and the sum of their squared distances from it. */
export interface LogMeans {
  readonly count: number;
  readonly mean: number;
  readonly squares: number;
}

/** What one unit of resource on one row of data has cost, in milli-tokens, over all attempts of a kind. */
export interface CostHistory extends LogMeans {
  readonly kind: string;
}

export interface Rung {
  resource: number;
  value: number;
  /** Of the further objectives; left out where the sweep has none. */
  also?: readonly number[];
}

export type AttemptState = "offered" | "running" | "ended";
export type Ending = "finished" | "stopped" | "refused" | "failed" | "lost";

export interface Attempt {
  fence: Fence;
  agent: string;
  incarnation: string;
  backend: BackendName;
  /** Tokens per second, frozen at the offer. */
  rate: number;
  from: Checkpoint | null;
  target: number;
  at: number;
  /** End of the prepaid horizon, in the coordinator's time. */
  until: number;
  /** True from an election until the next extension: the agent's own deadline is nearer than `until`. */
  shifted: boolean;
  reserved: MilliTokens;
  posted: MilliTokens;
  /** Start-tag charge taken at the offer, corrected to what was posted at the end. */
  charged: MilliTokens;
  /** Training time up to the last checkpoint that reached the artifact store, in ms. */
  keptMs: number;
  /** When that was, ms; the attempt's start before any. */
  keptAt: number;
  /** It went on from a checkpoint of another backend. */
  approximate: boolean;
  state: AttemptState;
  cancel: string | null;
  /** A patient cancel waits for the next checkpoint. */
  patient: boolean;
  /** The requester whose turn it made room for; null unless preempted. */
  preemptedFor: string | null;
  ending: Ending | null;
  note: string;
  endedAt: number | null;
}

export interface Trial {
  trial: TrialId;
  sweep: SweepId;
  number: number;
  model: string;
  params: Params;
  /** Equal keys mean equal work: fingerprint, model and parameters. */
  key: string;
  state: TrialState;
  /** Its place in the queue and since when, while it is queued. */
  order: number;
  queuedAt: number;
  checkpoint: Checkpoint | null;
  checkpointBytes: number;
  /** What its agent says of the dataset version that the checkpoint is; absent where it is none. */
  built?: BuiltDataset;
  /** Resource the trial is allowed to train to now. */
  target: number;
  rungs: Rung[];
  value: number | null;
  metrics: Metrics;
  attempts: Attempt[];
  /** A horizon shorter than this has proved too short to keep anything, ms; 0 before any has. */
  leastMs: number;
  /** Failures that were not the trial's own fault. */
  retries: number;
  reusedFrom: TrialId | null;
  /** The trial whose checkpoint this one began from; null where it began from nothing. */
  parent: TrialId | null;
  /** A shorter run of the same, which this one goes on from. */
  resumes: TrialId | null;
  failure: string | null;
  spent: MilliTokens;
  /** True where later trials of the same key are answered from this one. */
  record: boolean;
}

export interface BestPoint {
  trials: number;
  spent: MilliTokens;
  at: number;
  value: number;
}

export interface Sweep {
  sweep: SweepId;
  requester: string;
  spec: SweepSpec;
  fingerprint: number;
  /** As `fingerprint`, but shared with sweeps that differ only in how long their trials train. */
  warmStart: number;
  /** Trials the sweep will propose at most, found at submission. */
  total: number;
  proposed: number;
  /** Draws made from each model's stream; a duplicate costs a draw but no trial. */
  draws: number;
  exhausted: boolean;
  /** How its sampler says it found the last proposal. */
  note: string | null;
  state: "running" | "stopping" | "done" | "stopped";
  counts: Record<TrialState, number>;
  reused: number;
  /** Its part of its requester's turn, and its rank among the requester's sweeps. */
  weight: number;
  priority: number;
  finishTag: number;
  taggedAt: number;
  spent: MilliTokens;
  pending: MilliTokens;
  /** Moving average of what an attempt of this sweep costs; null until one has finished. */
  typicalCost: MilliTokens | null;
  /** By model and agent: tokens for a unit of resource, had the agent's claimed rate been true. */
  pace: Record<string, Record<string, LogMeans>>;
  savedByReuse: MilliTokens;
  savedByStopping: MilliTokens;
  best: { trial: TrialId; model: string; value: number; resource: number } | null;
  bestSoFar: BestPoint[];
  submittedAt: number;
  finishedAt: number | null;
  registered: { model: string; version: number; alias: string | null } | null;
}

export interface Version {
  version: number;
  artifact: Digest;
  bytes: number;
  metrics: Metrics;
  params: Params;
  model: string;
  task: string;
  sweep: SweepId;
  trial: TrialId;
  fence: Fence;
  agent: string;
  backend: string;
  dataset: DatasetRef | null;
  codeVersion: string;
  spent: MilliTokens;
  at: number;
  requester: string;
}

export interface Model {
  model: string;
  versions: Version[];
  aliases: Record<string, number>;
  ledger: AliasMoveView[];
}

export interface DatasetRecord {
  readonly dataset: string;
  readonly versions: DatasetVersionView[];
}

export type LedgerLine = LedgerLineView;

export interface State {
  readonly meta: Meta;
  readonly accounts: Map<string, Account>;
  readonly ledgers: Map<string, LedgerLine[]>;
  readonly agents: Map<string, Agent>;
  readonly sweeps: Map<SweepId, Sweep>;
  readonly trials: Map<TrialId, Trial>;
  readonly datasets: Map<string, DatasetRecord>;
  readonly models: Map<string, Model>;
  /** Canonical text of everything but model and parameters that a result depends on → its number. */
  readonly fingerprints: Map<string, number>;
  /** By kind of task: what a unit of resource has cost. */
  readonly costs: Map<string, CostHistory>;
  /** Answers of accepted commands by idempotency key, oldest first. */
  readonly commands: Map<string, unknown>;

  // Derived.
  /** Attempts that have not ended, by fence. */
  readonly active: Map<Fence, TrialId>;
  /** Fences held by each agent. */
  readonly held: Map<string, Set<Fence>>;
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
  /** Agents that have had a dataset, by its digest. */
  /** By warm-start key, model and parameters: the trial that has trained furthest. */
  readonly furthest: Map<string, TrialId>;
  readonly dataAt: Map<Digest, Set<string>>;
  /** Open sweeps of which something changed that may let them propose or end. */
  readonly attention: Set<SweepId>;
  /** Open sweeps whose sampler learns and that want another proposal. */
  readonly wanting: Set<SweepId>;

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
    datasets: new Map(),
    models: new Map(),
    fingerprints: new Map(),
    costs: new Map(),
    commands: new Map(),
    active: new Map(),
    held: new Map(),
    open: new Map(),
    records: new Map(),
    keys: new Map(),
    rungs: new Map(),
    queues: new Map(),
    fleet: new Fleet(),
    furthest: new Map(),
    dataAt: new Map(),
    attention: new Set(),
    wanting: new Set(),
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
