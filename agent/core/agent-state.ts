/**
 * What an agent knows while it runs: its leases, the leader's epoch and clock, what it still has to say.
 * Plain data; only `step` changes it. What must outlive the process is in the outbox and the cache.
 */
import type { Policy } from "../../protocol/capability.ts";
import type { ReplicaState, Serving } from "../../protocol/deployment.ts";
import type { Digest, Fence } from "../../protocol/id.ts";
import type { Lease } from "../../protocol/order.ts";
import type { Metrics, Report } from "../../protocol/report.ts";
import type { EpochTimes } from "./epoch-pace.ts";
import type { BestFile } from "../runner/runner.ts";
import type { Availability } from "../owner/availability.ts";

export type StopReason = Extract<Report, { kind: "stopped" }>["why"];

/** A whole checkpoint of an attempt, as its runner reported it. */
export interface KeptCheckpoint {
  readonly path: string;
  readonly digest: string;
  readonly bytes: number;
  /** Its bytes, where it is no file. */
  readonly content?: Uint8Array | undefined;
  readonly resource: number;
  readonly metrics: Metrics;
  readonly usedMs: number;
  /** The best epoch where it is another. */
  readonly best?: BestFile | undefined;
}

/** The artifacts of a lease as files of this machine. */
export interface LeaseFiles {
  readonly datasetPath: string | null;
  readonly checkpointPath: string | null;
  /** Of the best epoch of earlier attempts; absent where none is known here. */
  readonly bestPath?: string | undefined;
  /** By digest. */
  readonly parts: Readonly<Record<Digest, string>>;
}

/** What an agent holds of a deployment's replica beside its attempt: `hold-replica.ts`. */
export interface HeldReplica {
  /** The newest that it was told. */
  wanted: Serving;
  /** Of which its files were fetched last, and when, monotonic ms. */
  triedRevision: number;
  triedAt: number;
  isFetching: boolean;
  state: ReplicaState;
  /** The evidence against its canary at the last heartbeat that it caused, a natural logarithm. */
  told: number;
  /** Why the files of the revision that is wanted are not here. */
  lack: string | null;
}

/** The files of a revision, by digest, or why they are not to be had. */
export type Brought =
  | { readonly ok: true; readonly parts: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly reason: string };

export interface Held {
  lease: Lease;
  /** `ready`: fetched while suspended, and not started. */
  phase: "fetching" | "ready" | "running" | "reporting";
  /** Files of what was fetched; paths are null where there is none of a kind. */
  files: LeaseFiles;
  /** End of the prepaid horizon on this agent's monotonic clock, ms. */
  deadline: number;
  stopping: {
    why: StopReason;
    /** When patience ends and the runner is killed, monotonic ms. */
    killAt: number;
  } | null;
  killed: boolean;
  /** Its process stands still for the owner's sake. */
  suspended: boolean;
  /** Its runner has begun with it. */
  started: boolean;
  /** Its process is gone, and its end is not told yet. */
  exited: boolean;
  /** It goes on from a checkpoint of another backend, so its result is not what one machine alone would have had. */
  approximate: boolean;
  /** The last whole checkpoint of this attempt. */
  checkpoint: KeptCheckpoint | null;
  resource: number;
  /** When its epochs were done, by the time used: see `epoch-pace.ts`. */
  epochs: EpochTimes;
  /** What it had used at `usedSince`, ms; see `used-time.ts`. */
  usedMs: number;
  /** Monotonic ms; null while its job does not run. */
  usedSince: number | null;
  /** When the last checkpoint was handed to the mesh, monotonic ms, the epochs it has, and its digest. */
  sharedAt: number;
  sharedResource: number;
  sharedDigest: Digest | null;
  /** Of a deployment's replica; null of any other attempt. */
  replica: HeldReplica | null;
}

export interface AgentState {
  readonly name: string;
  readonly incarnation: string;
  policy: Policy;
  /** Highest epoch seen; orders of a lower one are refused. */
  epoch: number;
  /** Epoch in which the leader has answered our registration; orders count only then, for only then its clock is known. */
  registeredIn: number;
  /** Monotonic time here at coordinator's time 0, as a lower bound: never later than the truth. */
  clockOffset: number;
  /** When the leader was asked for its time, monotonic ms, and whether it is to be asked again: `leader-time.ts`. */
  askedAt: number;
  clockIsStale: boolean;
  /** Bytes of a checkpoint that may go with its report, as the leader of this epoch said; null before one has. */
  carries: number | null;
  /** What the owner's policy makes of the moment. */
  availability: Availability;
  /** Whether this machine can make a process stand still; where it cannot, trials leave instead. */
  readonly canSuspend: boolean;
  /** Whether anybody could reach a replica here. */
  readonly isReached: boolean;
  draining: boolean;
  leaving: boolean;
  readonly held: Map<Fence, Held>;
  /** Fences that have ended here, newest last, so that a repeated offer starts nothing. */
  readonly ended: Set<Fence>;
}

export function newAgentState(
  name: string,
  incarnation: string,
  policy: Policy,
  { canSuspend = true, isReached = true }: { canSuspend?: boolean; isReached?: boolean } = {},
): AgentState {
  return {
    name,
    incarnation,
    policy,
    epoch: 0,
    registeredIn: 0,
    clockOffset: 0,
    askedAt: 0,
    clockIsStale: false,
    carries: null,
    availability: { kind: "open", reason: null },
    canSuspend,
    isReached,
    draining: false,
    leaving: false,
    held: new Map(),
    ended: new Set(),
  };
}
