/** What happens to attempts, as it stands in the journal since format 2: leases, checkpoints, rungs, endings. */
import * as z from "zod";
import { storedBuiltDataset } from "./stored-dataset.ts";
import { storedEpochs } from "./stored-epochs.ts";
import { storedMeterFact } from "./stored-meter.ts";
import {
  storedBackendName,
  storedBestEpoch,
  storedCheckpoint,
  storedCount,
  storedDigest,
  storedFence,
  storedId,
  storedMetrics,
  storedMilliTokens,
  storedMs,
  storedPack,
} from "./stored-value.ts";

const fence = storedFence;
/** A place in a fair queue, in milli-tokens of its virtual time. */
const tag = z.number();

export const attemptEvents = [
  z.strictObject({
    kind: z.literal("LeaseOffered"),
    fence,
    trial: storedId,
    /** It goes to the agent's incarnation of this moment. */
    agent: storedId,
    backend: storedBackendName,
    rate: z.number(),
    /** Left out: from nothing. */
    from: storedCheckpoint.exactOptional(),
    target: storedCount,
    horizonMs: storedMs,
    reserved: storedMilliTokens,
    /** What the fair queues charge for it until its end. */
    charged: storedMilliTokens,
    /** After it: the account's finish tag, virtual time, the sweep's finish tag, virtual time among the account's sweeps. */
    tags: z.tuple([tag, tag, tag, tag]),
  }),
  z.strictObject({
    kind: z.literal("LeaseAccepted"),
    fence,
    /** From when on it can be at work, in the coordinator's time; left out where that is its offer. */
    takenFrom: storedMs.exactOptional(),
  }),
  z.strictObject({
    kind: z.literal("LeaseExtended"),
    fence,
    /** New end of the horizon, in the coordinator's time. */
    until: storedMs,
    /** Added to the reservation. */
    added: storedMilliTokens,
    /** Left out where nothing more is charged: what the fair queues charge now, and the finish tags of account and sweep. */
    recharge: z.strictObject({ charged: storedMilliTokens, tags: z.tuple([tag, tag]) }).exactOptional(),
    /** Left out by coordinators that did not meter. */
    metered: storedMeterFact.exactOptional(),
  }),
  /** What was seen of an attempt between two extensions, where it changed. */
  z.strictObject({ kind: z.literal("AttemptMetered"), fence, metered: storedMeterFact }),
  z.strictObject({
    kind: z.literal("CancelRequested"),
    fence,
    reason: z.string(),
    /** `checkpoint`: at the next one, however long that takes within the horizon. */
    how: z.enum(["soon", "checkpoint"]).default("soon"),
    /** Preempted to make room for this requester. */
    preemptedFor: z.string().nullable().default(null),
  }),
  z.strictObject({
    kind: z.literal("CheckpointKept"),
    fence,
    resource: storedCount,
    digest: storedDigest,
    bytes: storedCount,
    metrics: storedMetrics,
    usedMs: storedMs,
    /** The pack that its bytes came into with this report; left out where the mesh's store has them by themselves, or had them before. */
    pack: storedPack.exactOptional(),
    /** The same of the best epoch's. */
    bestPack: storedPack.exactOptional(),
    /** It went on from a checkpoint of another backend, which rounds otherwise. Left out where it did not. */
    approximate: z.boolean().optional(),
    /** It is the trial's best so far, with this value. */
    bestValue: z.number().exactOptional(),
    /** Another epoch is, which has a checkpoint of its own. */
    best: storedBestEpoch.exactOptional(),
    /** Of a dataset version: what its agent says of it. */
    built: storedBuiltDataset.optional(),
  }),
  z.strictObject({
    kind: z.literal("RungReached"),
    fence,
    resource: storedCount,
    value: z.number(),
    /** The further objectives, in the sweep's order; left out where there are none. */
    also: z.array(z.number()).exactOptional(),
    /** By what the trial counts from here on, where that is another epoch's value. */
    counts: z.number().exactOptional(),
    /** It is now the sweep's best; left out where it is not. */
    best: z.literal(true).exactOptional(),
  }),
  z.strictObject({
    kind: z.literal("AttemptEnded"),
    fence,
    ending: z.enum(["finished", "stopped", "refused", "failed", "lost"]),
    /** Why; left out where nothing is to be said. */
    note: z.string().exactOptional(),
    /** What of the reservation is charged, in the fair queues too; the rest is given back. */
    posted: storedMilliTokens,
    /** Finish tags of account and sweep, corrected to what was posted. */
    tags: z.tuple([tag, tag]),
    /** What an attempt of this sweep costs typically, from now on. */
    typicalCost: storedMilliTokens.exactOptional(),
    /** A horizon below this is too short for the trial to keep anything. */
    leastMs: storedMs.exactOptional(),
    /** Agents whose failures of this trial its success speaks against. */
    contradicts: z.array(storedId).exactOptional(),
    /** How its cost parts into starting and training; left out where its agent did not measure that. */
    epochs: storedEpochs.exactOptional(),
    /** What starting again at a rung has cost; left out where it did not. */
    restart: storedMilliTokens.exactOptional(),
    /** What its agent's machine lacks of what the program needs: the agent is marked with it, for the trial's sweep. */
    lacks: z.string().exactOptional(),
    learned: z
      .strictObject({
        /** Natural logarithm of milli-tokens for a unit of resource on one row of data. */
        cost: z.number(),
        /** Natural logarithm of milli-tokens for a unit of resource, had the agent's claim been true. */
        pace: z.number().exactOptional(),
        /** Natural logarithm of the agent's speed over its claim, from now on. */
        speed: z.number().exactOptional(),
      })
      .exactOptional(),
  }),
] as const;
