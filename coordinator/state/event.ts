/**
 * Everything that can happen, as it stands in the journal. Events are facts: they are never edited,
 * and `apply` must take any of them without asking anything outside the state.
 */
import * as z from "zod";
import { backendNameSchema, capabilitySchema, policySchema } from "../../protocol/capability.ts";
import { builtDatasetSchema, datasetCheckSchema, datasetVersionSchema } from "../../protocol/dataset.ts";
import { digestSchema, fenceSchema, sweepIdSchema, trialIdSchema } from "../../protocol/id.ts";
import { checkpointSchema } from "../../protocol/order.ts";
import { metricsSchema } from "../../protocol/report.ts";
import { valueSchema } from "../../protocol/value.ts";
import { sweepSpecSchema } from "../../protocol/sweep.ts";
import { refillSchema } from "../../protocol/command.ts";
import { milliTokensSchema } from "../../protocol/token.ts";

const agent = z.string();
const requester = z.string();

export const eventSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("LeaderElected"), epoch: z.int().positive(), leader: z.string() }),
  z.object({
    kind: z.literal("CommandAccepted"),
    key: z.string(),
    who: z.string(),
    name: z.string(),
    value: z.unknown(),
  }),

  z.object({ kind: z.literal("AccountOpened"), requester, weight: z.number().positive() }),
  z.object({
    kind: z.literal("AccountSet"),
    requester,
    weight: z.number().positive(),
    refill: refillSchema.nullable(),
    sweepCap: milliTokensSchema.nullable(),
  }),
  /** Periods of the refill that have passed; `amount` is 0 where the bucket was full. */
  z.object({
    kind: z.literal("TokensRefilled"),
    requester,
    amount: milliTokensSchema,
    /** Up to when it is now paid out, ms. */
    until: z.number(),
  }),
  z.object({
    kind: z.literal("TokensGranted"),
    requester,
    amount: milliTokensSchema,
    by: z.string(),
    note: z.string(),
  }),

  z.object({
    kind: z.literal("AgentJoined"),
    agent,
    incarnation: z.string(),
    capability: capabilitySchema,
    policy: policySchema,
  }),
  z.object({ kind: z.literal("AgentSeen"), agent }),
  z.object({ kind: z.literal("AgentSilent"), agent }),
  z.object({ kind: z.literal("AgentClosed"), agent, reason: z.string().nullable() }),
  z.object({ kind: z.literal("AgentDraining"), agent, drain: z.boolean() }),
  z.object({
    kind: z.literal("AgentCordoned"),
    agent,
    cordon: z.boolean(),
    /** Why the coordinator quarantined it; left out where a person cordoned it. */
    reason: z.string().optional(),
  }),

  z.object({
    kind: z.literal("SweepSubmitted"),
    sweep: sweepIdSchema,
    requester,
    spec: sweepSpecSchema,
    total: z.int().positive(),
  }),
  z.object({
    kind: z.literal("SweepTuned"),
    sweep: sweepIdSchema,
    weight: z.number().positive(),
    priority: z.int(),
  }),
  z.object({ kind: z.literal("SweepStopping"), sweep: sweepIdSchema, by: z.string(), why: z.string() }),
  z.object({ kind: z.literal("SweepExhausted"), sweep: sweepIdSchema, draws: z.int().nonnegative() }),
  z.object({ kind: z.literal("SweepFinished"), sweep: sweepIdSchema }),

  z.object({
    kind: z.literal("TrialProposed"),
    trial: trialIdSchema,
    sweep: sweepIdSchema,
    number: z.int().positive(),
    model: z.string(),
    params: z.record(z.string(), valueSchema),
    key: z.string(),
    draws: z.int().nonnegative(),
    target: z.int().positive(),
    /** The trial whose checkpoint it begins from. */
    parent: trialIdSchema.nullable().default(null),
    /** A shorter run of the same, whose checkpoint it goes on from. */
    resumes: trialIdSchema.nullable().default(null),
  }),
  z.object({ kind: z.literal("SearchNoted"), sweep: sweepIdSchema, note: z.string() }),
  z.object({ kind: z.literal("TrialReused"), trial: trialIdSchema, from: trialIdSchema }),
  z.object({ kind: z.literal("TrialPromoted"), trial: trialIdSchema, target: z.int().positive() }),
  z.object({ kind: z.literal("TrialPaused"), trial: trialIdSchema }),
  z.object({ kind: z.literal("TrialRequeued"), trial: trialIdSchema, why: z.string(), blame: z.boolean() }),
  z.object({
    kind: z.literal("TrialFinished"),
    trial: trialIdSchema,
    outcome: z.enum(["completed", "stopped", "failed", "cancelled"]),
    why: z.string(),
  }),

  z.object({
    kind: z.literal("LeaseOffered"),
    fence: fenceSchema,
    trial: trialIdSchema,
    agent,
    incarnation: z.string(),
    backend: backendNameSchema,
    rate: z.number().positive(),
    from: checkpointSchema.nullable(),
    target: z.int().positive(),
    horizonMs: z.number().positive(),
    reserved: milliTokensSchema,
  }),
  z.object({ kind: z.literal("LeaseAccepted"), fence: fenceSchema }),
  z.object({
    kind: z.literal("LeaseExtended"),
    fence: fenceSchema,
    /** New end of the horizon, in the coordinator's time. */
    until: z.number(),
    /** Added to the reservation. */
    added: milliTokensSchema,
  }),
  z.object({
    kind: z.literal("CancelRequested"),
    fence: fenceSchema,
    reason: z.string(),
    /** `checkpoint`: at the next one, however long that takes within the horizon. */
    how: z.enum(["soon", "checkpoint"]).default("soon"),
    /** Preempted to make room for this requester. */
    preemptedFor: z.string().nullable().default(null),
  }),
  z.object({
    kind: z.literal("CheckpointKept"),
    fence: fenceSchema,
    resource: z.int().nonnegative(),
    digest: digestSchema,
    bytes: z.int().nonnegative(),
    metrics: metricsSchema,
    usedMs: z.number().nonnegative(),
    /** It went on from a checkpoint of another backend, which rounds otherwise. Left out where it did not. */
    approximate: z.boolean().optional(),
    /** Of a dataset version: what its agent says of it. */
    built: builtDatasetSchema.optional(),
  }),
  z.object({
    kind: z.literal("RungReached"),
    fence: fenceSchema,
    resource: z.int().positive(),
    value: z.number(),
    /** The further objectives, in the sweep's order. */
    also: z.array(z.number()).default([]),
  }),
  z.object({
    kind: z.literal("AttemptEnded"),
    fence: fenceSchema,
    ending: z.enum(["finished", "stopped", "refused", "failed", "lost"]),
    note: z.string(),
    /** What of the reservation is charged; the rest is given back. */
    posted: milliTokensSchema,
    /** Its prepaid time ran out before anything new was kept. */
    tooShort: z.boolean().default(false),
  }),
  /** A report that came too late to count: kept as a note, changes nothing. */
  z.object({ kind: z.literal("ReportNoted"), agent, fence: fenceSchema, report: z.string() }),

  z.object({
    kind: z.literal("DatasetAdded"),
    version: z.int().positive(),
    by: z.string(),
    content: datasetVersionSchema,
  }),
  z.object({
    kind: z.literal("DatasetChecked"),
    dataset: z.string(),
    version: z.int().positive(),
    by: z.string(),
    check: datasetCheckSchema,
  }),
  z.object({
    kind: z.literal("ModelRegistered"),
    model: z.string(),
    version: z.int().positive(),
    trial: trialIdSchema,
    sweep: sweepIdSchema,
  }),
  z.object({
    kind: z.literal("AliasMoved"),
    model: z.string(),
    alias: z.string(),
    from: z.int().nullable(),
    to: z.int().positive(),
    who: z.string(),
    why: z.string(),
    how: z.enum(["register", "promote", "rollback"]),
  }),
]);
export type Event = z.infer<typeof eventSchema>;
