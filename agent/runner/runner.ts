/**
 * What runs an attempt. A runner starts jobs, says what becomes of them, and stops them; it knows leases
 * only by their fence and decides nothing. Every started job ends in exactly one of `finished`,
 * `stopped` and `failed`, unless the runner is closed first.
 */
import type { BuiltDataset } from "../../protocol/dataset.ts";
import type { ReplicaState, Serving } from "../../protocol/deployment.ts";
import type { Program } from "../../protocol/program.ts";
import type { Params } from "../../protocol/value.ts";

export interface Job {
  readonly fence: number;
  readonly trial: string;
  /** Whose it is; left out where the job is no trial of a mesh. */
  readonly requester?: string | undefined;
  readonly task: string;
  readonly model: string;
  readonly params: Params;
  readonly seed: number;
  readonly backend: string;
  /** File of an encoded dataset; null for tasks that read none. */
  readonly datasetPath: string | null;
  /** Files of the artifacts it needs beside its dataset, by digest. */
  readonly parts: Readonly<Record<string, string>>;
  /** File of what is expected of the dataset it builds; absent where nothing is. */
  readonly expectationsPath?: string | undefined;
  /** The requester's program that it runs; null where a model of trialmesh is trained. */
  readonly program: Program | null;
  /** Checkpoint to go on from; null to begin. */
  readonly fromCheckpointPath: string | null;
  /** Epochs the checkpoint has, 0 without one. */
  readonly fromResource: number;
  /** Epochs to reach. */
  readonly targetResource: number;
  /** The metric by which the best epoch's checkpoint is kept beside the newest; absent where only the newest is. */
  readonly keepBest?: { readonly metric: string; readonly goal: "maximize" | "minimize" } | undefined;
  /** The best epoch of the trial's earlier attempts, where it is known. */
  readonly bestBefore?: BestFile | undefined;
  readonly checkpointDir: string;
  /** Memory the runner's process may hold, in MiB. */
  readonly memoryMiB: number;
  /** Of a deployment's replica what it answers with, of files in `parts`; it trains nothing, and ends only when it is stopped. */
  readonly serving?: Serving | undefined;
}

/** Where a replica is asked, on this machine alone, by whoever says the secret first (`serving/server/knock.ts`). */
export interface ReplicaPlace {
  readonly port: number;
  /** Hexadecimal digits. */
  readonly secret: string;
}

/** A checkpoint as a file: its SHA-256 in hexadecimal and its length. */
export interface CheckpointFile {
  readonly path: string;
  readonly digest: string;
  readonly bytes: number;
  /** The bytes themselves, of a small one of a job of the agent's own process: then there is no file, and `path` is only a name. */
  readonly content?: Uint8Array | undefined;
}

/** The best epoch of a job so far, with the checkpoint of its own. */
export interface BestFile extends CheckpointFile {
  readonly resource: number;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Of what a job has kept: the best epoch where that is not the newest. */
interface WithBest {
  readonly best?: BestFile | undefined;
}

/** Path of a local file with exactly the bytes of this digest that the mesh's store has too, or null. */
export type Kept = (digest: string) => string | null;

interface AtEpoch {
  readonly fence: number;
  /** Epochs done. */
  readonly resource: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Milliseconds of work since the job started, what is written too, on the monotonic clock; suspended time is not in it. */
  readonly usedMs: number;
}

export type RunnerEvent =
  /**
   * It has begun to train, and `usedMs` runs on from here. `exact`: false where it goes on from a checkpoint of another
   * backend, which rounds otherwise.
   */
  | { readonly kind: "started"; readonly fence: number; readonly exact: boolean; readonly usedMs: number }
  | (AtEpoch & { readonly kind: "epoch" })
  /** Its process is gone, and `usedMs` grows no more; what it left is still being read, and its end follows. */
  | { readonly kind: "exited"; readonly fence: number; readonly usedMs: number }
  | (AtEpoch & CheckpointFile & WithBest & { readonly kind: "checkpoint" })
  /** The target is reached; the checkpoint is the final one, and the metrics have the test's figures too. */
  | (AtEpoch &
      CheckpointFile &
      WithBest & { readonly kind: "finished"; readonly built?: BuiltDataset | undefined })
  /** Stopped on request, with the last whole checkpoint there is of this job. */
  | (AtEpoch &
      WithBest & {
        readonly kind: "stopped";
        readonly path: string | null;
        readonly digest: string | null;
        readonly bytes: number;
        readonly content?: Uint8Array | undefined;
      })
  | {
      readonly kind: "failed";
      readonly fence: number;
      readonly reason: string;
      /** False when the same job would fail the same way anywhere. */
      readonly retryable: boolean;
      readonly usedMs: number;
      /** What this machine lacks of what the job needs, where that ended it. */
      readonly lacks?: string | undefined;
    }
  /** Measured between reports, at a step of the program's own counting: for the curve alone. */
  | {
      readonly kind: "point";
      readonly fence: number;
      readonly step: number;
      readonly metrics: Readonly<Record<string, number>>;
    }
  /** A replica answers there; said again whenever its state is another. */
  | (ReplicaPlace & { readonly kind: "serving"; readonly fence: number; readonly replica: ReplicaState })
  | { readonly kind: "log"; readonly fence: number; readonly stream: "out" | "err"; readonly line: string };

export type StopHow = "checkpoint" | "kill";

export interface Runner {
  /** A checkpoint that is `kept` already need not be written again. */
  start(job: Job, kept?: Kept): void;
  /** `checkpoint`: end after the epoch under way, keeping its checkpoint. `kill`: end now. An unknown fence is ignored. */
  stop(fence: number, how: StopHow): void;
  /**
   * Makes a job stand still, its memory kept, using no processor until `resume`. Where `canSuspend` is false
   * nothing happens: the job has to be stopped instead. To be stopped by checkpoint it goes on first; it can be
   * killed as it stands. An unknown fence is ignored, and so is a second suspension.
   */
  suspend(fence: number): void;
  resume(fence: number): void;
  /** What a replica is to answer with from now on, of these files by digest; it goes on as it does where it cannot. Of any other job ignored. */
  serve(fence: number, serving: Serving, parts: Job["parts"]): void;
  readonly canSuspend: boolean;
  /** Ids of the processes that run jobs: what they use of the processors is ours, not others'. */
  processes(): readonly number[];
  onEvent(listener: (event: RunnerEvent) => void): void;
  /** Ends every job and process; no event comes after it resolves. */
  close(): Promise<void>;
}
