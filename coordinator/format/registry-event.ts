/** What happens to datasets and models on record, as it stands in the journal since format 2. */
import * as z from "zod";
import { storedDatasetCheck, storedDatasetVersion } from "./stored-dataset.ts";
import { storedCount, storedId, storedLabels } from "./stored-value.ts";
import { storedExample, storedMeasured } from "./stored-fact.ts";

/** A model or a dataset on record. */
const entry = { of: z.enum(["model", "dataset"]), name: storedId };

export const registryEvents = [
  z.strictObject({
    kind: z.literal("DatasetAdded"),
    version: storedCount,
    by: z.string(),
    content: storedDatasetVersion,
  }),
  z.strictObject({
    kind: z.literal("DatasetChecked"),
    dataset: storedId,
    version: storedCount,
    by: z.string(),
    check: storedDatasetCheck,
  }),
  z.strictObject({
    kind: z.literal("ModelRegistered"),
    model: storedId,
    version: storedCount,
    trial: storedId,
    /** The trial that did the work: the same, or the one it was answered from. */
    origin: storedId,
    sweep: storedId,
  }),
  z.strictObject({
    kind: z.literal("AliasMoved"),
    model: storedId,
    alias: storedId,
    from: z.int().nullable(),
    to: storedCount,
    who: z.string(),
    why: z.string(),
    how: z.enum(["register", "promote", "rollback"]),
  }),
  /** A sweep has registered `version`, and the alias that it names stays where it is. */
  z.strictObject({
    kind: z.literal("AliasKept"),
    model: storedId,
    alias: storedId,
    version: storedCount,
    stays: storedCount,
    sweep: storedId,
    why: z.string(),
  }),
  /** What it, or one version of it, is tagged with from now on, and what is noted of it: each left out where it stays. */
  z.strictObject({
    kind: z.literal("EntryLabelled"),
    ...entry,
    version: storedCount.exactOptional(),
    by: z.string(),
    ...storedLabels,
    /** Of one version of a model, found out by using it. */
    example: storedExample.exactOptional(),
    measured: storedMeasured.exactOptional(),
  }),
  /** Taken out of sight: nothing new stands on these versions until they are restored. */
  z.strictObject({
    kind: z.literal("VersionsRemoved"),
    ...entry,
    versions: z.array(storedCount),
    by: z.string(),
    why: z.string(),
  }),
  z.strictObject({
    kind: z.literal("VersionsRestored"),
    ...entry,
    versions: z.array(storedCount),
    by: z.string(),
  }),
] as const;
