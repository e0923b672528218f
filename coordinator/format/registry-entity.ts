/** What the coordinator's projection keeps of models and datasets on record. */
import * as z from "zod";
import { storedDatasetRef, storedDatasetVersion } from "./stored-dataset.ts";
import { storedExample, storedMeasured } from "./stored-fact.ts";
import {
  storedCount,
  storedDigest,
  storedFence,
  storedId,
  storedLabels,
  storedMetrics,
  storedMilliTokens,
  storedMs,
  storedParams,
} from "./stored-value.ts";

/** What people wrote about a version, and who took it out of sight. */
const ofPeople = {
  ...storedLabels,
  /** Absent where it is in sight. */
  removed: z.strictObject({ by: z.string(), why: z.string(), at: storedMs }).exactOptional(),
};

const version = z.strictObject({
  version: storedCount,
  artifact: storedDigest,
  bytes: storedCount,
  metrics: storedMetrics,
  params: storedParams,
  model: z.string(),
  task: z.string(),
  sweep: storedId,
  trial: storedId,
  /** The epoch it is of; absent where that is the trial's last. */
  epoch: storedCount.exactOptional(),
  fence: storedFence,
  agent: storedId,
  backend: z.string(),
  dataset: storedDatasetRef.nullable(),
  codeVersion: z.string(),
  spent: storedMilliTokens,
  at: storedMs,
  requester: storedId,
  ...ofPeople,
  example: storedExample.exactOptional(),
  measured: storedMeasured.extend({ at: storedMs }).exactOptional(),
});

const aliasMove = z.strictObject({
  alias: storedId,
  from: storedCount.nullable(),
  to: storedCount,
  who: z.string(),
  why: z.string(),
  kind: z.enum(["register", "promote", "rollback"]),
  at: storedMs,
});

export const modelEntity = z.strictObject({
  model: storedId,
  versions: z.array(version),
  aliases: z.record(z.string(), storedCount),
  ledger: z.array(aliasMove),
  ...storedLabels,
});

export const datasetEntity = z.strictObject({
  dataset: storedId,
  versions: z.array(
    storedDatasetVersion.extend({ version: storedCount, by: z.string(), at: storedMs, ...ofPeople }),
  ),
  ...storedLabels,
});
