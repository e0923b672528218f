/**
 * Deployments: a registered model that the mesh keeps answering with, by replicas on its agents. A replica is a trial's attempt without an
 * end: its lease says which versions answer, an order says when that changes, and its agent's heartbeat says whether it does. Not here: what
 * people are shown of them (`deployment-view.ts`), and who sends callers where (the gateway).
 */
import * as z from "zod";
import { cutText, listOf, sentenceCharactersMax, shortText } from "./bound.ts";
import { digestSchema } from "./id.ts";
import { nameSchema } from "./name.ts";

/** The one that answers, one that answers some callers to be compared, and one that answers nobody and is compared. */
export const versionRoles = ["incumbent", "canary", "shadow"] as const;

/** What a replica is as work: agents that can serve say so among their rates, and owners allow it among their tasks. */
export const replicaTask = "serve";
export const replicaModel = "replica";

/** Replicas of one deployment. */
export const replicasWantedMax = 100;

/** Versions that one replica has loaded at once. */
export const servedVersionsMax = 4;

/** What an agent needs to know of a version to answer with it. */
export const servedVersionSchema = z.object({
  role: z.enum(versionRoles),
  /** Of callers, 0 to 1; of the incumbent what the others leave, of a shadow how many are copied to it. */
  share: z.number().min(0).max(1),
  model: nameSchema,
  version: z.int().positive(),
  artifact: digestSchema,
  task: shortText,
  /** The dataset version that it was trained on, whose transformation stands before it; null where there is none on record. */
  dataset: digestSchema.nullable(),
});
export type ServedVersion = z.infer<typeof servedVersionSchema>;

/** How many of the canaries that are no worse may be taken back, at most, where nobody says. */
export const trialAlpha = 0.01;
export const trialAlphaMax = 0.5;

/** What a replica answers with. */
export const servingSchema = z.object({
  deployment: nameSchema,
  /** One more with each change of what follows. */
  revision: z.int().positive(),
  versions: listOf(servedVersionSchema, servedVersionsMax).min(1),
  /** For a canary among them; left out where there is none. */
  alpha: z.number().gt(0).lt(1).optional(),
});
export type Serving = z.infer<typeof servingSchema>;

const seenMax = Number.MAX_SAFE_INTEGER;
const seenCount = z.int().min(0).max(seenMax);
/** Of a natural logarithm: beyond it nobody needs to know by how much. */
export const logWealthMax = 1_000;

/** What a replica has seen of a version on trial beside the incumbent, in one revision, since it began to answer with that. */
export const trialSeenSchema = z.object({
  role: z.enum(["canary", "shadow"]),
  revision: z.int().positive(),
  /** Requests that both were asked, and those that one failed at and the other answered. */
  pairs: seenCount,
  incumbentFailed: seenCount,
  challengerFailed: seenCount,
  /** Requests that both answered, and how many of these answers agreed; a part of an answer counts as its share. */
  compared: seenCount,
  agreed: z.number().min(0).max(seenMax),
  /** Pairs of times, and requests whose truth was told. */
  times: seenCount,
  truths: seenCount,
  /** Natural logarithm of the evidence that it is worse: an e-value, 0 is none. */
  logWealth: z.number().min(-logWealthMax).max(logWealthMax),
  /** Why this replica alone has taken it back already. */
  takenBack: cutText(sentenceCharactersMax).optional(),
});
export type TrialSeen = z.infer<typeof trialSeenSchema>;

/** A canary and a shadow. */
const trialsSeenMax = 2;

/** What an agent says of a replica that it runs. Counts are of this attempt, up to the moment. */
export const replicaStateSchema = z.object({
  /** The newest revision that answers; null before the first does. */
  revision: z.int().positive().nullable(),
  requests: z.int().nonnegative(),
  /** Of these, those that were refused or failed for a reason on this side. */
  failed: z.int().nonnegative(),
  /** Why a newer revision cannot answer; left out where nothing is wrong. */
  trouble: cutText(sentenceCharactersMax).optional(),
  /** Of its versions on trial. What makes no sense is as if it had not been said. */
  seen: listOf(trialSeenSchema, trialsSeenMax).optional().catch(undefined),
});
export type ReplicaState = z.infer<typeof replicaStateSchema>;
