/** What the coordinator's projection keeps of a deployment. Its replicas are trials of its sweep. */
import * as z from "zod";
import { storedTrial, storedTrialEnd } from "./deployment-trial.ts";
import { storedCount, storedDigest, storedId, storedMs } from "./stored-value.ts";

export const storedReference = z.strictObject({
  model: storedId,
  /** A number, an alias, `best` or `newest`; left out where a name alone was given. */
  version: z.union([storedCount, z.string()]).exactOptional(),
});

export const storedServedVersion = z.strictObject({
  role: z.enum(["incumbent", "canary", "shadow"]),
  share: z.number(),
  model: storedId,
  version: storedCount,
  artifact: storedDigest,
  task: z.string(),
  dataset: storedDigest.nullable(),
});

export const deploymentEntity = z.strictObject({
  deployment: storedId,
  requester: storedId,
  sweep: storedId,
  reference: storedReference,
  /** Replicas that are wanted. */
  replicas: storedCount,
  revision: storedCount,
  versions: z.array(storedServedVersion),
  openedAt: storedMs,
  /** Absent where nothing is on trial. */
  trial: storedTrial.exactOptional(),
  trialEnd: storedTrialEnd.exactOptional(),
  /** Absent where nobody has stopped it. */
  stopped: z.strictObject({ by: z.string(), why: z.string(), at: storedMs }).exactOptional(),
});
