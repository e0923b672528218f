/**
 * Events whose shape was another in format 1 of the journal. Frozen: nothing here changes any more. Those that are not here
 * stood in the journal then as they do now.
 */
import * as z from "zod";
import { eventSchema } from "../../format/event.ts";
import { storedSweepSpec } from "../../format/stored-sweep.ts";
import {
  storedBackendName,
  storedCheckpoint,
  storedCount,
  storedFence,
  storedId,
  storedMilliTokens,
  storedMs,
  storedParams,
  storedRefill,
} from "../../format/stored-value.ts";

const fence = storedFence;
const sweep = storedId;
const trial = storedId;

const changedSince1 = [
  z.strictObject({
    kind: z.literal("CommandAccepted"),
    key: z.string(),
    who: z.string(),
    name: z.string(),
    value: z.unknown(),
  }),
  z.strictObject({
    kind: z.literal("AccountSet"),
    requester: storedId,
    weight: z.number(),
    refill: storedRefill.nullable(),
    sweepCap: storedMilliTokens.nullable(),
  }),
  z.strictObject({
    kind: z.literal("SweepSubmitted"),
    sweep,
    requester: storedId,
    spec: storedSweepSpec,
    total: storedCount,
  }),
  z.strictObject({ kind: z.literal("SweepFinished"), sweep }),
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
    parent: trial.nullable().default(null),
    resumes: trial.nullable().default(null),
  }),
  z.strictObject({ kind: z.literal("TrialReused"), trial, from: trial }),
  z.strictObject({
    kind: z.literal("TrialFinished"),
    trial,
    outcome: z.enum(["completed", "stopped", "failed", "cancelled"]),
    why: z.string(),
  }),
  z.strictObject({
    kind: z.literal("LeaseOffered"),
    fence,
    trial,
    agent: storedId,
    incarnation: z.string(),
    backend: storedBackendName,
    rate: z.number(),
    from: storedCheckpoint.nullable(),
    target: storedCount,
    horizonMs: storedMs,
    reserved: storedMilliTokens,
  }),
  z.strictObject({
    kind: z.literal("LeaseExtended"),
    fence,
    until: storedMs,
    added: storedMilliTokens,
  }),
  z.strictObject({
    kind: z.literal("RungReached"),
    fence,
    resource: storedCount,
    value: z.number(),
    also: z.array(z.number()).default([]),
  }),
  z.strictObject({
    kind: z.literal("AttemptEnded"),
    fence,
    ending: z.enum(["finished", "stopped", "refused", "failed", "lost"]),
    note: z.string(),
    posted: storedMilliTokens,
    tooShort: z.boolean().default(false),
  }),
  z.strictObject({
    kind: z.literal("ModelRegistered"),
    model: storedId,
    version: storedCount,
    trial,
    sweep,
  }),
] as const;

type Changed = z.infer<(typeof changedSince1)[number]>;
export type Event1Of<K extends Changed["kind"]> = Extract<Changed, { kind: K }>;

type Option = (typeof eventSchema.options)[number];
type UnchangedOption<O = Option> = O extends Option
  ? z.infer<O>["kind"] extends Changed["kind"]
    ? never
    : O
  : never;

const changedKinds: ReadonlySet<string> = new Set(changedSince1.map(({ shape }) => shape.kind.value));

function isUnchanged(option: Option): option is UnchangedOption {
  return !changedKinds.has(option.shape.kind.value);
}

export const event1Schema = z.discriminatedUnion("kind", [
  ...changedSince1,
  ...eventSchema.options.filter(isUnchanged),
]);
/** An event as format 1 has it. */
export type Event1 = z.infer<typeof event1Schema>;
