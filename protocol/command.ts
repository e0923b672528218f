/**
 * Commands change the mesh and queries look at it. Each is one request with one answer, an
 * `Outcome`; a command carries a key, so that sending it twice does it once.
 */
import * as z from "zod";
import { shortText, textOf, recordOf, jsonValue, answerList, answerText, anyValue, listOf } from "./bound.ts";
import { datasetVersionSchema } from "./dataset.ts";
import { replicasWantedMax, trialAlphaMax } from "./deployment.ts";
import { digestSchema, fenceSchema, sweepIdSchema, trialIdSchema } from "./id.ts";
import { tagChange, tagSchema, tagsMax } from "./label.ts";
import { nameSchema } from "./name.ts";
import { registryEntry, versionNameSchema } from "./registry-entry.ts";
import { requirementSchema } from "./requirement.ts";
import { keptMs, retentionSchema } from "./retention.ts";
import { refusalSchema } from "./refusal.ts";
import { removalView } from "./removal-view.ts";
import { sweepSpecSchema, trialsMax } from "./sweep.ts";
import { milliTokensSchema } from "./token.ts";
import { valueSchema } from "./value.ts";
import { exampleSchema, measuredSchema } from "./version-fact.ts";

const triedVersion = { model: nameSchema, version: versionNameSchema.nullable().default(null) };

/** Of a reason or a note, which is kept in the record. */
export const noteCharactersMax = 500;
const text = textOf(noteCharactersMax);

export const weightMax = 1000;
/** Priorities are from below 0 to above it by so much. */
export const priorityMax = 100;
/** What one answer holds at most: sweeps, trials of a sweep, lines of an account. */
export const sweepsShownMax = 500;
export const trialsShownMax = 1000;
export const logLinesShownMax = 2000;
export const statementLinesMax = 5000;
/** Artifacts that could go, in one answer. */
export const garbageShownMax = 1000;
/** Artifacts that one question about holders names. */
export const holdersAskedMax = 256;
/** A digest, or how it begins. */
const digestPrefix = textOf(64).regex(/^[0-9a-f]{6,64}$/, "is a digest, or at least its first 6 digits");
/** Trials whose points one question asks for. */
export const historyTrialsMax = 100;

/** A period below this would fill the journal with refills. */
const refillEveryMinMs = 60_000;

/** A token bucket: `amount` more every `everyMs`, while less than `upTo` is available. */
export const refillSchema = z.strictObject({
  amount: milliTokensSchema.positive(),
  everyMs: z.number().min(refillEveryMinMs),
  upTo: milliTokensSchema.positive(),
});

/**
 * What was shown before a change of an alias was confirmed: where it pointed, and which version it was to get. The
 * change is refused where either no longer holds. Null from a client that shows nothing first.
 */
const shownMove = z
  .strictObject({ from: z.int().positive().nullable(), version: z.int().positive() })
  .nullable()
  .default(null);

/** The version to go back to; null means the one the alias pointed to before. */
const backTo = z.int().positive().nullable().default(null);

const weight = z.number().positive().max(weightMax);

const commandBodies = {
  "sweep-run": z.strictObject({ spec: sweepSpecSchema }),
  "sweep-stop": z.strictObject({ sweep: sweepIdSchema, why: text.default("") }),
  /** `now`: what runs leaves at its next checkpoint; else it goes on to its next rung. */
  "sweep-pause": z.strictObject({
    sweep: sweepIdSchema,
    now: z.boolean().default(false),
    why: text.default(""),
  }),
  "sweep-resume": z.strictObject({ sweep: sweepIdSchema }),
  /** So many trials more, and so much more that it may spend where it has a cap; a sweep that has ended goes on. */
  "sweep-extend": z
    .strictObject({
      sweep: sweepIdSchema,
      trials: z.int().nonnegative().max(trialsMax).default(0),
      tokens: milliTokensSchema.default(0),
    })
    .refine(({ tokens, trials }) => trials + tokens > 0, {
      path: ["trials"],
      message: "is how many more trials, 1 or more, where no tokens are given",
    }),
  /** Out of sight, and its record answers no more. `force`: also where something stands on it. */
  "sweep-remove": z.strictObject({
    sweep: sweepIdSchema,
    force: z.boolean().default(false),
    why: text.default(""),
  }),
  "sweep-restore": z.strictObject({ sweep: sweepIdSchema }),
  "budget-grant": z.strictObject({
    requester: nameSchema,
    amount: milliTokensSchema.positive(),
    note: text.default(""),
  }),
  "account-open": z.strictObject({
    requester: nameSchema,
    /** Left out: 1 for a new account, and for an open one what it has. */
    weight: weight.optional(),
    grant: milliTokensSchema.default(0),
  }),
  /** What is left out stays as it is. */
  "account-set": z.strictObject({
    requester: nameSchema,
    weight: weight.optional(),
    refill: refillSchema.nullable().optional(),
    sweepCap: milliTokensSchema.positive().nullable().optional(),
  }),
  "sweep-tune": z.strictObject({
    sweep: sweepIdSchema,
    weight: weight.optional(),
    priority: z.int().min(-priorityMax).max(priorityMax).optional(),
  }),
  /** A trial somebody proposes, by hand or from another process. */
  "trial-propose": z.strictObject({
    sweep: sweepIdSchema,
    model: shortText.min(1),
    params: recordOf(shortText, valueSchema),
  }),
  /** It ends as stopped by whoever asks, with what it has measured so far. */
  "trial-stop": z.strictObject({ trial: trialIdSchema, why: text.default("") }),
  "sweep-tag": z.strictObject({ sweep: sweepIdSchema, ...tagChange }),
  "trial-tag": z.strictObject({ trial: trialIdSchema, ...tagChange }),
  /** In place of the note it has; an empty one takes that away. */
  "sweep-note": z.strictObject({ sweep: sweepIdSchema, note: text }),
  "trial-note": z.strictObject({ trial: trialIdSchema, note: text }),
  /** No more proposals will come: the sweep ends with what it has. */
  "sweep-seal": z.strictObject({ sweep: sweepIdSchema }),
  "dataset-add": datasetVersionSchema,
  "model-promote": z.strictObject({
    model: nameSchema,
    version: versionNameSchema,
    alias: nameSchema,
    why: text.default(""),
    expect: shownMove,
  }),
  "model-rollback": z.strictObject({
    model: nameSchema,
    alias: nameSchema,
    to: backTo,
    why: text.default(""),
    expect: shownMove,
  }),
  "registry-tag": z.strictObject({ ...registryEntry, ...tagChange }),
  /** In place of the note it has; an empty one takes that away. */
  "registry-note": z.strictObject({ ...registryEntry, note: text }),
  /** What was found out of a version by using it; what is known already stays. */
  "model-fact": z.strictObject({
    model: nameSchema,
    version: z.int().positive(),
    example: exampleSchema.nullable().default(null),
    measured: measuredSchema.nullable().default(null),
  }),
  /** Out of sight, and nothing new stands on it. `force`: also where something does now. */
  "registry-remove": z.strictObject({
    ...registryEntry,
    force: z.boolean().default(false),
    why: text.default(""),
  }),
  /** Of all of it, what was removed last. */
  "registry-restore": z.strictObject(registryEntry),
  /** Opens it, or changes what is given of one that is there; the version as in `model-promote`, null for the one that a name alone stands for. */
  "deploy-set": z.strictObject({
    deployment: nameSchema,
    model: nameSchema,
    version: versionNameSchema.nullable().default(null),
    /** Left out: as many as there are, or one. */
    replicas: z.int().min(1).max(replicasWantedMax).optional(),
    /** Left out: what it needs now, or nothing. */
    needs: requirementSchema.optional(),
    /** Beside what it answers with. Left out: as now; null: none any more. */
    canary: z
      .strictObject({ ...triedVersion, share: z.number().gt(0).max(1) })
      .nullable()
      .optional(),
    shadow: z.strictObject(triedVersion).nullable().optional(),
    /** How many of the canaries that are no worse may be taken back, at most. */
    alpha: z.number().gt(0).max(trialAlphaMax).optional(),
  }),
  "deploy-stop": z.strictObject({ deployment: nameSchema, why: text.default("") }),
  /** Kept whatever refers to it; `forMs`: for so long, else until it is taken away. */
  "artifact-pin": z.strictObject({
    digest: digestSchema,
    why: text.default(""),
    forMs: keptMs.positive().nullable().default(null),
  }),
  "artifact-unpin": z.strictObject({ digest: digestSchema }),
  /** A look at what nothing refers to, now; `graceMs`: until it goes, instead of what is set. */
  "gc-run": z.strictObject({ graceMs: keptMs.nullable().default(null) }),
  /** What is left out stays as it is. */
  "retention-set": z.strictObject(retentionSchema.shape).partial(),
  "agent-drain": z.strictObject({ agent: nameSchema, drain: z.boolean() }),
  "agent-cordon": z.strictObject({ agent: nameSchema, cordon: z.boolean() }),
  /** Its credential was taken back: nobody waits for it any more. */
  "agent-revoked": z.strictObject({ agent: nameSchema }),
} as const;
export type CommandName = keyof typeof commandBodies;
export type CommandBody<N extends CommandName> = z.infer<(typeof commandBodies)[N]>;

/** What travels: the key makes a repeat harmless. */
export const commandEnvelopeSchema = z.object({ key: textOf(100).min(8), body: jsonValue() });

/** The same table, typed so that a name picks its own body. */
export const commandSchemas: { readonly [N in CommandName]: z.ZodType<CommandBody<N>> } = commandBodies;

/** A place in the history of several trials: what this attempt said on this subject from that sequence on is still to come. */
export const historyPlaceSchema = z.strictObject({
  trial: trialIdSchema,
  fence: fenceSchema,
  subject: z.int().nonnegative(),
  sequence: z.int().nonnegative(),
});

const queryBodies = {
  mesh: z.strictObject({}),
  agent: z.strictObject({ agent: nameSchema }),
  /** Newest first; `offset` of them are left out. `tags`: those that have all of them. */
  sweeps: z.strictObject({
    limit: z.int().min(1).max(sweepsShownMax).default(50),
    tags: listOf(tagSchema, tagsMax).default([]),
    /** Also those that were removed. */
    removed: z.boolean().default(false),
    offset: z.int().nonnegative().default(0),
  }),
  sweep: z.strictObject({
    sweep: sweepIdSchema,
    offset: z.int().nonnegative().default(0),
    limit: z.int().min(1).max(trialsShownMax).default(200),
    order: z.enum(["number", "best"]).default("number"),
  }),
  trial: z.strictObject({ trial: trialIdSchema }),
  curve: z.strictObject({ trial: trialIdSchema }),
  /** Every point of these trials that is kept, trial by trial, page by page: `after` is the `next` of the page before. */
  history: z.strictObject({
    trials: listOf(trialIdSchema, historyTrialsMax).min(1),
    after: historyPlaceSchema.nullable().default(null),
  }),
  /** The newest lines, or with `after` the first ones behind the `position` of an earlier answer. */
  logs: z.strictObject({
    trial: trialIdSchema,
    limit: z.int().min(1).max(logLinesShownMax).default(200),
    after: z.int().nonnegative().nullable().default(null),
  }),
  why: z.strictObject({ trial: trialIdSchema }),
  "sweep-why": z.strictObject({ sweep: sweepIdSchema }),
  /** What a sweep has taught so far: which parameters matter, where the good trials are. */
  insight: z.strictObject({ sweep: sweepIdSchema }),
  /** What a sweep would cost, asked before it is launched. */
  estimate: z.strictObject({ requester: nameSchema, spec: sweepSpecSchema }),
  /** `removed`: also what was removed. */
  datasets: z.strictObject({ removed: z.boolean().default(false) }),
  dataset: z.strictObject({ dataset: nameSchema, removed: z.boolean().default(false) }),
  models: z.strictObject({ removed: z.boolean().default(false) }),
  model: z.strictObject({ model: nameSchema, removed: z.boolean().default(false) }),
  /** What removing it would take out of sight, and what stands on that. */
  removal: z.strictObject(registryEntry),
  lineage: z.strictObject({ model: nameSchema, version: versionNameSchema }),
  /** Which version is meant: by a name, or by a change of an alias that is yet to be confirmed. */
  resolve: z.discriminatedUnion("of", [
    z.strictObject({ of: z.literal("version"), model: nameSchema, version: versionNameSchema }),
    z.strictObject({
      of: z.literal("promote"),
      model: nameSchema,
      version: versionNameSchema,
      alias: nameSchema,
    }),
    z.strictObject({ of: z.literal("rollback"), model: nameSchema, alias: nameSchema, to: backTo }),
  ]),
  /** `stopped`: also those that somebody has stopped. */
  deployments: z.strictObject({ stopped: z.boolean().default(false) }),
  deployment: z.strictObject({ deployment: nameSchema }),
  budget: z.strictObject({
    requester: nameSchema.nullable().default(null),
    lines: z.int().min(0).max(statementLinesMax).default(50),
  }),
  /**
   * What could go from the mesh's store, the largest first; `digest`: of this one alone what refers to it. Takes a look at the store.
   */
  garbage: z.strictObject({
    digest: digestPrefix.nullable().default(null),
    limit: z.int().min(1).max(garbageShownMax).default(100),
  }),
  /** Where artifacts lie. */
  holders: z.strictObject({ digests: listOf(digestSchema, holdersAskedMax) }),
  /** Messages that could not be processed. */
  "set-aside": z.strictObject({}),
  events: z.strictObject({ limit: z.int().min(1).max(1000).default(100) }),
} as const;
export type QueryName = keyof typeof queryBodies;
export type QueryBody<N extends QueryName> = z.infer<(typeof queryBodies)[N]>;

/** The same table, typed so that a name picks its own body. */
export const querySchemas: { readonly [N in QueryName]: z.ZodType<QueryBody<N>> } = queryBodies;

const cutSchema = z.object({ list: shortText, left: z.int().nonnegative() });

export const answerSchema = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), value: anyValue, cut: answerList(cutSchema).optional() }),
  z.object({ ok: z.literal(false), refusal: refusalSchema }),
]);

/** What a command answers with when it is accepted. */
export const commandValues = {
  "sweep-run": z.object({ sweep: sweepIdSchema }),
  "sweep-stop": z.object({ sweep: sweepIdSchema }),
  /** `running`: trials that run at that moment. */
  "sweep-pause": z.object({ sweep: sweepIdSchema, running: z.int().nonnegative() }),
  "sweep-resume": z.object({ sweep: sweepIdSchema, queued: z.int().nonnegative() }),
  /** `reopened`: it had ended. `proposed`: the trials it has; `total`: those it may have. `cap`: what it may spend; null without one. */
  "sweep-extend": z.object({
    sweep: sweepIdSchema,
    reopened: z.boolean(),
    proposed: z.int().nonnegative(),
    total: z.int().nonnegative(),
    cap: milliTokensSchema.nullable(),
  }),
  /** What it was, and what stands on it and stays. */
  "sweep-remove": z.object({
    sweep: sweepIdSchema,
    trials: z.int().nonnegative(),
    spent: milliTokensSchema,
    dependents: answerList(answerText),
  }),
  "sweep-restore": z.object({ sweep: sweepIdSchema }),
  "budget-grant": z.object({ requester: nameSchema, granted: milliTokensSchema }),
  /** `opened` is false where it was open already. */
  "account-open": z.object({ requester: nameSchema, opened: z.boolean().optional() }),
  /** `added` is false where the mesh had this version already. */
  "dataset-add": z.object({ dataset: nameSchema, version: z.int().positive(), added: z.boolean() }),
  "model-promote": z.object({
    model: nameSchema,
    alias: nameSchema,
    version: z.int(),
    from: z.int().nullable(),
  }),
  "model-rollback": z.object({
    model: nameSchema,
    alias: nameSchema,
    version: z.int(),
    from: z.int().nullable(),
  }),
  "account-set": z.object({
    requester: nameSchema,
    weight: z.number(),
    refill: refillSchema.nullable(),
    sweepCap: milliTokensSchema.nullable(),
  }),
  "trial-propose": z.object({ trial: trialIdSchema, known: z.boolean() }),
  /** `running`: it ends once its agent has heard of it; else it has ended. */
  "trial-stop": z.object({ trial: trialIdSchema, running: z.boolean() }),
  "sweep-tag": z.object({ sweep: sweepIdSchema, tags: answerList(answerText) }),
  "trial-tag": z.object({ trial: trialIdSchema, tags: answerList(answerText) }),
  "sweep-note": z.object({ sweep: sweepIdSchema, notes: answerText }),
  "trial-note": z.object({ trial: trialIdSchema, notes: answerText }),
  "sweep-seal": z.object({ sweep: sweepIdSchema }),
  "sweep-tune": z.object({ sweep: sweepIdSchema, weight: z.number(), priority: z.int() }),
  /** `entry`: as people write it, `language-id@3` or `language-id`. */
  "registry-tag": z.object({ entry: answerText, tags: answerList(answerText) }),
  "registry-note": z.object({ entry: answerText, notes: answerText }),
  /** Which of the two were not known before. */
  "model-fact": z.object({ entry: answerText, example: z.boolean(), measured: z.boolean() }),
  "registry-remove": removalView,
  /** `lost`: what cannot come back, and why. */
  "registry-restore": z.object({
    entry: answerText,
    versions: answerList(z.int().positive()),
    lost: answerList(answerText),
  }),
  /** `opened`: there was none of that name, or it was stopped. `version`: what it answers with. */
  "deploy-set": z.object({
    deployment: nameSchema,
    sweep: sweepIdSchema,
    opened: z.boolean(),
    revision: z.int().positive(),
    version: z.int().positive(),
    replicas: z.int().positive(),
  }),
  /** `running`: replicas that are asked to end. */
  "deploy-stop": z.object({ deployment: nameSchema, running: z.int().nonnegative() }),
  /** `until`: null where it is pinned until somebody takes that away. */
  "artifact-pin": z.object({ digest: digestSchema, until: z.number().nullable() }),
  "artifact-unpin": z.object({ digest: digestSchema }),
  /** When it was asked for, in the coordinator's time. */
  "gc-run": z.object({ at: z.number() }),
  "retention-set": retentionSchema,
  "agent-drain": z.object({ agent: nameSchema, running: answerList(fenceSchema) }),
  "agent-cordon": z.object({ agent: nameSchema, running: answerList(fenceSchema) }),
  "agent-revoked": z.object({ agent: nameSchema }),
} as const;
export type CommandValue<N extends CommandName> = z.infer<(typeof commandValues)[N]>;
