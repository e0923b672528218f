/** What happens to sweeps and trials, as it stands in the journal since format 2. */
import * as z from "zod";
import { storedSweepSpec } from "./stored-sweep.ts";
import {
  storedCount,
  storedId,
  storedLabels,
  storedMetrics,
  storedMilliTokens,
  storedParams,
} from "./stored-value.ts";

const sweep = storedId;
const trial = storedId;

export const sweepEvents = [
  z.strictObject({
    kind: z.literal("SweepSubmitted"),
    sweep,
    requester: storedId,
    spec: storedSweepSpec,
    total: storedCount,
    /** Equal texts: equal model and parameters are the same work. */
    fingerprint: z.string(),
    /** Equal texts: a shorter run of equal model and parameters is the beginning of a longer one. */
    warmStart: z.string(),
    /** An earlier sweep of the same definition, whose proposals it makes again; left out where there is none. */
    repeats: sweep.exactOptional(),
    /** Whose replicas its trials are; left out where it searches. */
    deployment: storedId.exactOptional(),
  }),
  z.strictObject({ kind: z.literal("SweepTuned"), sweep, weight: z.number(), priority: z.int() }),
  /** `now`: what runs leaves at its next checkpoint; left out where it goes on to its next rung. */
  z.strictObject({
    kind: z.literal("SweepPaused"),
    sweep,
    by: z.string(),
    why: z.string(),
    now: z.literal(true).exactOptional(),
  }),
  z.strictObject({ kind: z.literal("SweepResumed"), sweep, by: z.string() }),
  z.strictObject({ kind: z.literal("SweepStopping"), sweep, by: z.string(), why: z.string() }),
  /** What it is tagged with from now on, and what is noted of it: each left out where it stays. */
  z.strictObject({ kind: z.literal("SweepLabelled"), sweep, by: z.string(), ...storedLabels }),
  z.strictObject({ kind: z.literal("TrialLabelled"), trial, by: z.string(), ...storedLabels }),
  /** Taken out of sight; what its trials have done answers for no other until it is restored. */
  z.strictObject({ kind: z.literal("SweepRemoved"), sweep, by: z.string(), why: z.string() }),
  z.strictObject({ kind: z.literal("SweepRestored"), sweep, by: z.string() }),
  z.strictObject({ kind: z.literal("SweepExhausted"), sweep, draws: storedCount }),
  /** `total`: the trials it may have, more than before, also where it had ended; `cap`: what it may spend. Each left out where it stays. */
  z.strictObject({
    kind: z.literal("SweepExtended"),
    sweep,
    by: z.string(),
    total: storedCount.exactOptional(),
    cap: storedMilliTokens.exactOptional(),
  }),
  /** `done`: it ended well, which one that was stopped at its target has too. */
  z.strictObject({ kind: z.literal("SweepFinished"), sweep, state: z.enum(["done", "stopped"]) }),

  z.strictObject({
    kind: z.literal("TrialProposed"),
    trial,
    sweep,
    number: storedCount,
    model: z.string(),
    params: storedParams,
    key: z.string(),
    draws: storedCount,
    target: storedCount,
    /** The trial whose checkpoint it begins from; left out where it begins from nothing. */
    parent: trial.exactOptional(),
    /** A shorter run of the same, whose checkpoint it goes on from. */
    resumes: trial.exactOptional(),
    /** Resources of the rungs at which the shorter run has been judged for this one too. */
    rungs: z.array(storedCount).exactOptional(),
  }),
  z.strictObject({ kind: z.literal("SearchNoted"), sweep, note: z.string() }),
  /** `saved`: what is not spent, because the work was done before. */
  z.strictObject({ kind: z.literal("TrialReused"), trial, from: trial, saved: storedMilliTokens }),
  z.strictObject({ kind: z.literal("TrialPromoted"), trial, target: storedCount }),
  z.strictObject({ kind: z.literal("TrialPaused"), trial }),
  z.strictObject({ kind: z.literal("TrialRequeued"), trial, why: z.string(), blame: z.boolean() }),
  /** Somebody wants its end: what runs of it is asked to stop, and then it ends as stopped. */
  z.strictObject({ kind: z.literal("TrialStopAsked"), trial, by: z.string(), why: z.string() }),
  z.strictObject({
    kind: z.literal("TrialFinished"),
    trial,
    outcome: z.enum(["completed", "stopped", "failed", "cancelled"]),
    why: z.string(),
    /** Who stopped it; left out where the stopping policy did, or nobody. Such a trial answers for no other. */
    by: z.string().exactOptional(),
    /** What it had measured when it was stopped, where it left no checkpoint to have that with. */
    metrics: storedMetrics.exactOptional(),
    /** It is now the sweep's best; left out where it is not. */
    best: z.literal(true).exactOptional(),
    /** What is not spent, because it was stopped early. */
    saved: storedMilliTokens.exactOptional(),
  }),
] as const;
