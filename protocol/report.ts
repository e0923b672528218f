/** What an agent says: it registers, sends a heartbeat every few seconds, and makes durable reports. */
import * as z from "zod";
import {
  sentenceText,
  shortText,
  cutText,
  listOf,
  manyEntriesMax,
  nameCharactersMax,
  textCharactersMax,
  cutRecord,
} from "./bound.ts";
import { capabilitySchema, policySchema } from "./capability.ts";
import { builtDatasetSchema } from "./dataset.ts";
import { replicaStateSchema } from "./deployment.ts";
import { digestSchema, fenceSchema } from "./id.ts";
import { epochSchema } from "./order.ts";

/** What an agent says in words is for people: cut, where somebody else's program made it longer than anybody reads. */
const reasonCharactersMax = 2_000;
const reasonSchema = cutText(reasonCharactersMax);

/** A trial may report so many numbers at once; of more, the first are taken. */
const metricsMax = 256;
const metricNameCharactersMax = 200;

/** Numbers a trial reports about itself, such as `accuracy`; what is not finite is left out by the sender. */
export const metricsSchema = cutRecord(z.number(), metricNameCharactersMax, metricsMax);
export type Metrics = z.infer<typeof metricsSchema>;

/**
 * How an attempt's time was spent, ms on the agent's monotonic clock, so that starting is told from training: when training began,
 * when the first epoch was done, and how long an epoch took after that one, on average. Left out where nothing was measured.
 */
export const paceSchema = z.object({
  startMs: z.number().nonnegative(),
  firstMs: z.number().nonnegative(),
  /** Left out where there was no second epoch. */
  epochMs: z.number().nonnegative().optional(),
});
export type Pace = z.infer<typeof paceSchema>;

const checkpoint = {
  resource: z.int().nonnegative(),
  digest: digestSchema,
  bytes: z.int().nonnegative(),
  metrics: metricsSchema,
};

const kept = {
  fence: fenceSchema,
  ...checkpoint,
  /** The best epoch of this attempt so far, where it is not the newest: its checkpoint is in the artifact store too. */
  best: z.object(checkpoint).optional(),
  /** Training time of this attempt so far, in ms on the agent's monotonic clock. */
  usedMs: z.number().nonnegative(),
  /** It went on from a checkpoint of another backend, which rounds otherwise. Left out where it did not. */
  approximate: z.boolean().optional(),
  pace: paceSchema.optional(),
};

export const reportSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("accepted"), fence: fenceSchema }),
  z.object({ kind: z.literal("refused"), fence: fenceSchema, reason: reasonSchema }),
  /** A checkpoint that is in the artifact store: from here on the work up to it cannot be lost. */
  z.object({ kind: z.literal("checkpoint"), ...kept }),
  /** The target resource was reached; `digest` is the checkpoint there. */
  z.object({
    kind: z.literal("finished"),
    ...kept,
    /** Where the attempt has built a dataset version. */
    built: builtDatasetSchema.optional(),
  }),
  /** Ended before the target: cancelled, out of horizon, vacated by the owner, or drained. */
  z.object({
    kind: z.literal("stopped"),
    ...kept,
    digest: digestSchema.nullable(),
    why: z.enum(["cancelled", "horizon", "owner", "drain", "shutdown"]),
  }),
  z.object({
    kind: z.literal("failed"),
    fence: fenceSchema,
    reason: reasonSchema,
    retryable: z.boolean(),
    usedMs: z.number().nonnegative(),
    /** What this machine lacks of what the program needs, such as `the Python module "yaml"`; left out where that was not it. */
    lacks: cutText(nameCharactersMax).optional(),
  }),
]);
export type Report = z.infer<typeof reportSchema>;

/** The outbox sends fewer at once. */
export const reportsMax = 1_000;

/** One inbox message. `id` names a report for its receipt and is unique for ever. */
export const reportBatchSchema = z.object({
  incarnation: shortText,
  reports: listOf(z.object({ id: shortText, report: reportSchema }), reportsMax).min(1),
});
export type ReportBatch = z.infer<typeof reportBatchSchema>;

/** Asked of the leader at each start, reconnect and new epoch; the answer sets the agent's clock offset. */
export const registerSchema = z.object({
  incarnation: shortText,
  capability: capabilitySchema,
  policy: policySchema,
  /** The highest signed head of the journal it has heard of; absent from older agents. */
  head: sentenceText.optional(),
});
export type Register = z.infer<typeof registerSchema>;

export const welcomeSchema = z.object({
  epoch: epochSchema,
  /** Coordinator's time when it answered, ms since the Unix epoch. */
  at: z.number(),
  presenceMs: z.number().positive(),
  /** So many bytes of a checkpoint may come with the report that names it; absent from coordinators that take none. */
  carries: z.int().nonnegative().optional(),
  /** Why the agent gets no new trials until somebody has looked at it; left out where it is not quarantined. */
  quarantined: cutText(reasonCharactersMax).optional(),
});
export type Welcome = z.infer<typeof welcomeSchema>;

/**
 * What the owner's policy makes of the moment. `open`: takes new work. `closed`: what runs goes on, nothing new
 * comes. `suspended`: what runs stands still, for no tokens. `vacating`: what runs leaves.
 */
export const availabilityNames = ["open", "closed", "suspended", "vacating"] as const;

export const heartbeatSchema = z.object({
  incarnation: shortText,
  epoch: epochSchema,
  /** Why the owner's policy takes no new work just now, or null when it does. */
  closed: reasonSchema.nullable(),
  cpuLoad: z.number().min(0).nullable(),
  memFreeGiB: z.number().nonnegative().nullable(),
  running: listOf(
    z.object({
      fence: fenceSchema,
      resource: z.int().nonnegative(),
      /** By the agent's monotonic clock, up to this moment. Suspended time is not used time. */
      usedMs: z.number().nonnegative(),
      suspended: z.boolean().default(false),
      /** Its job runs: it is not fetched, started, suspended or handed over just now. Left out by agents of before. */
      atWork: z.boolean().optional(),
      /** Of a deployment's replica. */
      replica: replicaStateSchema.optional(),
    }),
    manyEntriesMax,
  ),
  /** Null from an agent that does not say. */
  owner: z
    .object({
      stance: z.enum(availabilityNames),
      reason: reasonSchema.nullable(),
      /** What was asked for the owner's input, and the ms since the last one; null where not asked or unknown. */
      idleSource: cutText(nameCharactersMax).nullable(),
      idleMs: z.number().nonnegative().nullable(),
    })
    .nullable()
    .default(null),
});
export type Heartbeat = z.infer<typeof heartbeatSchema>;

/** A point of a trial's curve, on the metrics stream. */
export const metricPointSchema = z.object({
  fence: fenceSchema,
  resource: z.int().nonnegative(),
  metrics: metricsSchema,
});
export const logLineSchema = z.object({
  fence: fenceSchema,
  stream: z.enum(["out", "err"]),
  line: cutText(textCharactersMax),
});
