/**
 * What the coordinator says to an agent. Every order is signed (`signature.ts`) for its subject, so for one agent and one
 * kind of order; it carries the leader's epoch, and the agent refuses an epoch lower than the highest it has seen; and it
 * expires. Orders are idempotent by fence.
 */
import * as z from "zod";
import {
  shortText,
  cutText,
  listOf,
  recordOf,
  manyEntriesMax,
  sentenceCharactersMax,
  sentenceText,
} from "./bound.ts";
import { backendNameSchema } from "./capability.ts";
import { servingSchema } from "./deployment.ts";
import { digestSchema, fenceSchema, sweepIdSchema, trialIdSchema } from "./id.ts";
import { nameSchema } from "./name.ts";
import { programSchema } from "./program.ts";
import { valueSchema } from "./value.ts";

export const epochSchema = z.int().positive();

/** A checkpoint to start from: the resource (epochs) already trained, and the artifact. */
export const checkpointSchema = z.object({ resource: z.int().nonnegative(), digest: digestSchema });

/** The right to run one attempt of one trial, up to a target resource, until the horizon ends. */
export const leaseSchema = z.object({
  fence: fenceSchema,
  /** The run of the agent it was offered to; a restarted agent leaves it alone. */
  incarnation: shortText,
  trial: trialIdSchema,
  sweep: sweepIdSchema,
  requester: nameSchema,
  task: shortText,
  model: shortText,
  backend: backendNameSchema,
  params: recordOf(shortText, valueSchema),
  seed: z.int().nonnegative(),
  dataset: digestSchema.nullable(),
  /** Artifacts to have before it starts, beside its dataset. */
  parts: listOf(digestSchema).default([]),
  /** The part that holds what is expected of the dataset it builds; absent where nothing is. */
  expectations: digestSchema.optional(),
  /** The requester's program that the trial runs, or null. */
  program: programSchema.nullable().default(null),
  metric: shortText,
  /** Which way `metric` is better, where the best epoch's checkpoint is to be kept beside the newest; absent where it is not. */
  goal: z.enum(["maximize", "minimize"]).optional(),
  from: checkpointSchema.nullable(),
  /** The best epoch of the trial's earlier attempts, where the best is kept; absent where there is none. */
  best: checkpointSchema
    .extend({ bytes: z.int().nonnegative(), metrics: recordOf(shortText, z.number()) })
    .optional(),
  target: z.int().positive(),
  /** Coordinator's time (ms since the Unix epoch) at which the horizon starts to count. */
  at: z.number(),
  /** The prepaid time, in ms from `at`; at its end the agent checkpoints and stops by itself. */
  horizonMs: z.number().positive(),
  /** Of a deployment's replica what it answers with; absent from leases of anything else. */
  serving: servingSchema.optional(),
});
export type Lease = z.infer<typeof leaseSchema>;

/** How long an order counts after it was given, ms. One that is still owed is given again long before. */
export const orderLifeMs = 15_000;

const given = {
  epoch: epochSchema,
  /** Coordinator's time, ms since the Unix epoch, after which it does not count. */
  expires: z.number(),
};

export const offerSchema = z.object({ ...given, leases: listOf(leaseSchema, manyEntriesMax).min(1) });
export const extendSchema = z.object({
  ...given,
  leases: listOf(
    z.object({ fence: fenceSchema, at: z.number(), horizonMs: z.number().positive() }),
    manyEntriesMax,
  ).min(1),
});
export const cancelSchema = z.object({
  ...given,
  fences: listOf(fenceSchema, manyEntriesMax).min(1),
  reason: cutText(sentenceCharactersMax),
  /**
   * `soon`: end after the epoch under way, and within seconds whether or not it ends. `checkpoint`: take the
   * time to its end, as long as the lease is extended.
   */
  how: z.enum(["soon", "checkpoint"]).default("soon"),
});
export type CancelHow = z.infer<typeof cancelSchema>["how"];
/** What replicas answer with from now on; one that has that revision, or a newer one, stays as it is. */
export const serveSchema = z.object({
  ...given,
  replicas: listOf(z.object({ fence: fenceSchema, serving: servingSchema }), manyEntriesMax).min(1),
});
export const drainSchema = z.object({
  ...given,
  drain: z.boolean(),
  /** Why it gets no new trials until somebody has looked at it: for its owner. Left out where it is not quarantined. */
  quarantined: cutText(sentenceCharactersMax).optional(),
});
/** Reports the coordinator has made durable; the agent may forget them. */
export const receiptSchema = z.object({ ...given, ids: listOf(shortText, manyEntriesMax).min(1) });

/** So many checkpoints are spoken of in one order about replicas. */
export const replicasMax = 256;
/** What an agent is to do with checkpoints that lie at agents and not in the mesh's store. */
export const replicaSchema = z.object({
  ...given,
  /** To bring from whoever has it, of at most so many bytes, and to hold until it is released. */
  take: z.object({ digest: digestSchema, bytes: z.int().positive() }).optional(),
  /** Nothing goes on from these any more: they are as any others. */
  release: listOf(digestSchema, replicasMax).optional(),
  /** To put into the mesh's store. */
  store: listOf(digestSchema, replicasMax).optional(),
});
export type ReplicaOrder = z.infer<typeof replicaSchema>;

/** So many lost artifacts are asked for at once. */
export const wantedMax = 16;

/** So many artifacts that were collected are told of at once. */
export const droppedMax = 64;

/** The leader's beacon, on the epoch subject. */
export const beaconSchema = z.object({
  epoch: epochSchema,
  leader: shortText,
  at: z.number(),
  /** Artifacts that somebody wants and the mesh's store has lost: whoever has their bytes stores them again. */
  wanted: listOf(digestSchema, wantedMax).optional(),
  /** Artifacts that nothing refers to any more: whoever has had no use for them lately need not keep them. */
  dropped: listOf(digestSchema, droppedMax).optional(),
  /** How far the journal reaches: `signed-head.ts`. Absent from older coordinators. */
  head: sentenceText.optional(),
});
export type Beacon = z.infer<typeof beaconSchema>;
