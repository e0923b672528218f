/**
 * What people and gateways see of deployments: which versions answer, by which replicas, on which agents, at what cost. Amounts are
 * milli-tokens, times are ms since the Unix epoch. Not here: what agents are told (`deployment.ts`).
 */
import * as z from "zod";
import { answerList, answerText } from "./bound.ts";
import { servedVersionSchema } from "./deployment.ts";

const count = z.int().nonnegative();

export const replicaView = z.object({
  trial: answerText,
  /** Where it runs or is being started; null while it waits for an agent. */
  agent: answerText.nullable(),
  /** Of the attempt that runs; null while it waits. */
  fence: count.nullable(),
  /** `ready`: it answers. `suspended`: the machine's owner is there, and it answers nobody. `leaving`: it answers what it was asked, and ends. */
  state: z.enum(["queued", "starting", "ready", "suspended", "leaving"]),
  /** The newest revision that it answers with; null before the first. */
  revision: count.nullable(),
  /** Of this attempt, as its agent last said. */
  requests: count,
  failed: count,
  /** When the attempt began, or since when it waits. */
  since: z.number(),
  /** Why it does not answer, or not with the newest revision; null where nothing is wrong. */
  trouble: answerText.nullable(),
});
export type ReplicaView = z.infer<typeof replicaView>;

export const deploymentStates = [
  "starting",
  "running",
  "short",
  "out of tokens",
  "stopping",
  "stopped",
] as const;

/** What is on trial, and what all replicas together have seen of it in the newest revision. */
const deploymentTrialView = z.object({
  role: z.enum(["canary", "shadow"]),
  model: answerText,
  version: count,
  /** Of callers, 0 to 1; of a shadow how many are copied to it. */
  share: z.number(),
  /** Requests that both were asked, and those that one failed at and the other answered. */
  pairs: count,
  incumbentFailed: count,
  challengerFailed: count,
  /** Requests that both answered, and how many of the answers agreed. */
  compared: count,
  agreed: z.number(),
  /** That it is worse: 1 is none; a canary with as much as is needed is taken out, a shadow is only told of. */
  evidence: z.number(),
  needed: z.number().nullable(),
});
export type DeploymentTrialView = z.infer<typeof deploymentTrialView>;

export const deploymentView = z.object({
  deployment: answerText,
  requester: answerText,
  /** Under which its replicas are leased, metered and paid, one trial each. */
  sweep: answerText,
  /** As people write it: `language-id@champion`, `language-id@7`, `language-id`. */
  reference: answerText,
  /** `running`: as many answer as are wanted. `short`: fewer, though some may. `starting`: none has answered yet. */
  state: z.enum(deploymentStates),
  /** What keeps it from being whole; null where nothing does. */
  why: answerText.nullable(),
  /** One more with each change of `versions`. */
  revision: count,
  versions: answerList(servedVersionSchema),
  replicas: answerList(replicaView),
  wanted: count,
  /** Of the replicas that run now, each at the rate of its lease. */
  tokensPerHour: count,
  /** By all its replicas since it was opened, what runs included. */
  spent: count,
  created: z.number(),
  /** Left out where nothing is on trial. */
  trials: answerList(deploymentTrialView).exactOptional(),
  /** Who stopped it and why; absent where nobody did. */
  stopped: z.object({ by: answerText, why: answerText, at: z.number() }).exactOptional(),
});
export type DeploymentView = z.infer<typeof deploymentView>;

export const deploymentsView = z.object({ deployments: answerList(deploymentView) });
