/** What the coordinator's projection keeps of a trial and of its attempts. */
import * as z from "zod";
import { storedBuiltDataset } from "./stored-dataset.ts";
import { storedEpochs } from "./stored-epochs.ts";
import { storedMeter } from "./stored-meter.ts";
import {
  storedBackendName,
  storedBestEpoch,
  storedCheckpoint,
  storedCount,
  storedDigest,
  storedFence,
  storedId,
  storedLabels,
  storedMetrics,
  storedMilliTokens,
  storedMs,
  storedPack,
  storedParams,
} from "./stored-value.ts";

const rung = z.strictObject({
  resource: storedCount,
  value: z.number(),
  /** Of the further objectives; left out where the sweep has none. */
  also: z.array(z.number()).exactOptional(),
});

const attempt = z.strictObject({
  fence: storedFence,
  agent: storedId,
  incarnation: z.string(),
  /** What was installed on its agent's machine when it was offered, in short; left out where the agent did not say. */
  environment: z.string().exactOptional(),
  backend: storedBackendName,
  /** Tokens per second, frozen at the offer. */
  rate: z.number(),
  from: storedCheckpoint.nullable(),
  target: storedCount,
  at: storedMs,
  /** End of the prepaid horizon, in the coordinator's time. */
  until: storedMs,
  /** True from an election until the next extension: the agent's own deadline is nearer than `until`. */
  shifted: z.boolean(),
  reserved: storedMilliTokens,
  posted: storedMilliTokens,
  /** Start-tag charge taken at the offer, corrected to what was posted at the end. */
  charged: storedMilliTokens,
  /** Training time up to the last checkpoint that reached the artifact store, in ms. */
  keptMs: storedMs,
  /** When that was, ms; the attempt's start before any. */
  keptAt: storedMs,
  /** What was seen of the time it used. */
  meter: storedMeter,
  /** It went on from a checkpoint of another backend. */
  approximate: z.boolean(),
  state: z.enum(["offered", "running", "ended"]),
  cancel: z.string().nullable(),
  /** A patient cancel waits for the next checkpoint. */
  patient: z.boolean(),
  /** The requester whose turn it made room for; null unless preempted. */
  preemptedFor: z.string().nullable(),
  ending: z.enum(["finished", "stopped", "refused", "failed", "lost"]).nullable(),
  note: z.string(),
  /** How its cost parts; null where nobody measured that. */
  epochs: storedEpochs.nullable(),
  /** What the agent's machine lacked, where that ended it. */
  lacks: z.string().exactOptional(),
  endedAt: storedMs.nullable(),
  /** Of a replica, what was added to its reservation and stands in no line of the statement yet, and since when. */
  unlisted: z.strictObject({ amount: storedMilliTokens, since: storedMs }).exactOptional(),
  /** Of a replica, what it last said: the newest revision that it answers with, absent before the first, and what is wrong. */
  replica: z
    .strictObject({ revision: storedCount.exactOptional(), trouble: z.string().exactOptional() })
    .exactOptional(),
});

export const trialEntity = z.strictObject({
  trial: storedId,
  sweep: storedId,
  number: storedCount,
  model: z.string(),
  params: storedParams,
  /** Equal keys mean equal work: fingerprint, model and parameters. */
  key: z.string(),
  state: z.enum(["queued", "running", "paused", "completed", "stopped", "failed", "cancelled"]),
  /** Its place in the queue and since when, while it is queued. */
  order: storedCount,
  queuedAt: storedMs,
  checkpoint: storedCheckpoint.nullable(),
  checkpointBytes: storedCount,
  /** Resource the trial is allowed to train to now. */
  target: storedCount,
  rungs: z.array(rung),
  value: z.number().nullable(),
  metrics: storedMetrics,
  attempts: z.array(attempt),
  /** A horizon shorter than this has proved too short to keep anything, ms; 0 before any has. */
  leastMs: storedMs,
  /** Failures that were not the trial's own fault. */
  retries: storedCount,
  reusedFrom: storedId.nullable(),
  /** The trial whose checkpoint this one began from; null where it began from nothing. */
  parent: storedId.nullable(),
  /** A shorter run of the same, which this one goes on from. */
  resumes: storedId.nullable(),
  /** Who asked for its end, and why; absent where nobody did. */
  stopAsked: z.strictObject({ by: z.string(), why: z.string() }).exactOptional(),
  failure: z.string().nullable(),
  ...storedLabels,
  spent: storedMilliTokens,
  /** True where later trials of the same key are answered from this one. */
  record: z.boolean(),
  /** Its best epoch and the attempt that trained it; absent before any, and where only the newest was kept. */
  best: storedBestEpoch.extend({ fence: storedFence }).exactOptional(),
  /** What its agent says of the dataset version that the checkpoint is; absent where it is none. */
  built: storedBuiltDataset.exactOptional(),
});

/** A pack of the mesh's store, and what in it something referred to when it came: PACK-2. */
export const packEntity = z.strictObject({ pack: storedPack, digests: z.array(storedDigest) });
