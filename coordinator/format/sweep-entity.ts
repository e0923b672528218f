/** What the coordinator's projection keeps of a sweep. */
import * as z from "zod";
import { logMeans } from "./account-entity.ts";
import { storedEpochCost } from "./stored-epochs.ts";
import { storedSweepSpec } from "./stored-sweep.ts";
import { storedCount, storedId, storedLabels, storedMilliTokens, storedMs } from "./stored-value.ts";

const bestPoint = z.strictObject({
  trials: storedCount,
  spent: storedMilliTokens,
  at: storedMs,
  value: z.number(),
});

export const sweepEntity = z.strictObject({
  sweep: storedId,
  requester: storedId,
  spec: storedSweepSpec,
  /** Sweeps of equal numbers do the same work for equal model and parameters. */
  fingerprint: storedCount,
  /** As `fingerprint`, but shared with sweeps that differ only in how long their trials train. */
  warmStart: storedCount,
  /** The earlier sweep whose proposals it makes again; absent where there is none. */
  repeats: storedId.exactOptional(),
  /** Whose replicas its trials are; absent where it searches. */
  deployment: storedId.exactOptional(),
  /** Trials the sweep will propose at most, found at submission. */
  total: storedCount,
  proposed: storedCount,
  /** Draws made from each model's stream; a duplicate costs a draw but no trial. */
  draws: storedCount,
  exhausted: z.boolean(),
  /** How its sampler says it found the last proposal. */
  note: z.string().nullable(),
  state: z.enum(["running", "stopping", "done", "stopped"]),
  /** Since when it gets no slots, by whom and why; `now`: what ran was asked to leave too. Absent where it is not paused. */
  paused: z.strictObject({ by: z.string(), why: z.string(), at: storedMs, now: z.boolean() }).exactOptional(),
  counts: z.strictObject({
    queued: storedCount,
    running: storedCount,
    paused: storedCount,
    completed: storedCount,
    stopped: storedCount,
    failed: storedCount,
    cancelled: storedCount,
  }),
  reused: storedCount,
  /** Its part of its requester's turn, and its rank among the requester's sweeps. */
  weight: z.number(),
  priority: z.int(),
  finishTag: z.number(),
  taggedAt: storedMs,
  spent: storedMilliTokens,
  pending: storedMilliTokens,
  /** Moving average of what an attempt of this sweep costs; null until one has finished. */
  typicalCost: storedMilliTokens.nullable(),
  /** By model and agent: tokens for a unit of resource, had the agent's claimed rate been true. */
  pace: z.record(z.string(), z.record(z.string(), z.strictObject(logMeans))),
  /** By model, what epochs cost. */
  epochs: z.record(z.string(), storedEpochCost),
  /** By agent: what its machine lacks of what the program needs, and the run of the agent that this was seen in. */
  lacking: z.record(z.string(), z.strictObject({ what: z.string(), run: z.string() })).exactOptional(),
  savedByReuse: storedMilliTokens,
  savedByStopping: storedMilliTokens,
  /** What going on from rungs has cost in starts. */
  restarts: storedMilliTokens,
  best: z
    .strictObject({ trial: storedId, model: z.string(), value: z.number(), resource: storedCount })
    .nullable(),
  bestSoFar: z.array(bestPoint),
  ...storedLabels,
  /** Who took it out of sight, and when; absent where it is in sight. */
  removed: z.strictObject({ by: z.string(), why: z.string(), at: storedMs }).exactOptional(),
  submittedAt: storedMs,
  finishedAt: storedMs.nullable(),
  registered: z
    .strictObject({
      model: storedId,
      version: storedCount,
      alias: storedId.nullable(),
      /** The alias that was to move here and was left where it is, and why. */
      kept: z.strictObject({ alias: storedId, stays: storedCount, why: z.string() }).exactOptional(),
    })
    .nullable(),
});
