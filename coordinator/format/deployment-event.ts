/** What happens to deployments and to what their replicas say, as it stands in the journal since format 3. */
import * as z from "zod";
import { storedReference, storedServedVersion } from "./deployment-entity.ts";
import { storedTrialCounts, storedTrialWish } from "./deployment-trial.ts";
import { storedRequirement } from "./stored-sweep.ts";
import { storedCount, storedFence, storedId } from "./stored-value.ts";

const deployment = storedId;

export const deploymentEvents = [
  /** In the place of one of that name that was stopped, where there is one. */
  z.strictObject({
    kind: z.literal("DeploymentOpened"),
    deployment,
    /** Whose trials its replicas are. */
    sweep: storedId,
    requester: storedId,
    reference: storedReference,
    replicas: storedCount,
  }),
  /** Each left out where it stays. */
  z.strictObject({
    kind: z.literal("DeploymentChanged"),
    deployment,
    by: z.string(),
    reference: storedReference.exactOptional(),
    replicas: storedCount.exactOptional(),
    needs: storedRequirement.exactOptional(),
  }),
  /** What it answers with from now on: its reference means something else than before. */
  z.strictObject({
    kind: z.literal("DeploymentServes"),
    deployment,
    revision: storedCount,
    versions: z.array(storedServedVersion),
  }),
  z.strictObject({ kind: z.literal("DeploymentStopped"), deployment, by: z.string(), why: z.string() }),
  /** Where that is news: the newest revision that this replica answers with, and what keeps it from a newer one. */
  z.strictObject({
    kind: z.literal("ReplicaSaid"),
    fence: storedFence,
    revision: storedCount.exactOptional(),
    trouble: z.string().exactOptional(),
  }),
  /** All that is on trial from now on; what replicas have seen counts no more. */
  z.strictObject({
    kind: z.literal("DeploymentTrialBegun"),
    deployment,
    by: z.string(),
    trial: storedTrialWish,
  }),
  /** Where that is news: what a replica has seen of the canary in the newest revision. */
  z.strictObject({
    kind: z.literal("DeploymentTrialSeen"),
    deployment,
    fence: storedFence,
    seen: storedTrialCounts,
  }),
  z.strictObject({
    kind: z.literal("DeploymentTrialEnded"),
    deployment,
    role: z.enum(["canary", "shadow"]),
    /** Left out where the evidence, or what became of a version, ended it. */
    by: z.string().exactOptional(),
    why: z.string(),
  }),
] as const;
