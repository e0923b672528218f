/** A sweep's spec as it stands in the journal and in the projection. How it travels is in `protocol/sweep.ts`, and may change. */
import * as z from "zod";
import { storedDatasetRef, storedRecording } from "./stored-dataset.ts";
import {
  storedConstraint,
  storedObjective,
  storedSearch,
  storedSpace,
  storedStopping,
} from "./stored-search.ts";
import {
  storedBackendName,
  storedCount,
  storedDigest,
  storedDtype,
  storedId,
  storedMilliTokens,
  storedMs,
  storedRung,
} from "./stored-value.ts";

const programCommon = {
  bundle: storedDigest,
  objectives: z.array(z.strictObject({ metric: z.string(), keep: z.enum(["last", "min", "max"]) })),
  fullLength: storedCount.nullable(),
};

const program = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("command"),
    ...programCommon,
    command: z.array(z.string()),
    program: z.string().nullable(),
    output: z.string().optional(),
    secrets: z.record(z.string(), z.record(z.string(), z.string())).optional(),
    serve: z.array(z.string()).optional(),
    environment: z.record(z.string(), z.string()),
    nested: z.array(z.string()),
    literals: z.record(z.string(), z.record(z.string(), z.unknown())),
    paths: z.record(z.string(), z.array(z.string())).optional(),
    spelling: z.record(z.string(), z.record(z.string(), z.string())).optional(),
    metricFormat: z.array(z.string()),
  }),
  z.strictObject({ kind: z.literal("module"), ...programCommon, entry: z.string() }),
]);

export const storedRequirement = z.strictObject({
  backend: z.array(storedBackendName).optional(),
  gpu: z
    .strictObject({
      vendor: z.string().optional(),
      count: storedCount,
      vramGiB: z.number().optional(),
      computeCapability: z.number().optional(),
    })
    .optional(),
  memGiB: z.number().optional(),
  cores: storedCount.optional(),
  diskGiB: z.number().optional(),
  os: z.array(z.string()).optional(),
  arch: z.array(z.string()).optional(),
  cpu: z.array(z.string()).optional(),
  dtype: z.array(storedDtype).optional(),
  python: z.string().optional(),
  packages: z.array(z.string()).optional(),
  sandbox: storedRung.optional(),
  labels: z.record(z.string(), z.string()).optional(),
  agents: z
    .strictObject({ only: z.array(storedId).optional(), not: z.array(storedId).optional() })
    .optional(),
});

export const storedSweepSpec = z.strictObject({
  name: storedId,
  experiment: storedId.nullable().default(null),
  task: z.string(),
  dataset: storedDatasetRef.nullable(),
  gate: z.boolean().default(false),
  parts: z.array(storedDigest).default([]),
  program: program.nullable().default(null),
  objective: storedObjective,
  alsoObjectives: z.array(storedObjective).default([]),
  search: storedSearch,
  stopping: storedStopping,
  models: z.array(
    z.strictObject({
      model: z.string(),
      space: storedSpace,
      where: z.array(storedConstraint).default([]),
    }),
  ),
  needs: storedRequirement,
  prefers: z
    .strictObject({
      first: z.enum(["fastest", "cheapest"]),
      nearData: z.boolean(),
      labels: z.record(z.string(), z.string()),
    })
    .default({ first: "fastest", nearData: true, labels: {} }),
  weight: z.number().default(1),
  priority: z.int().default(0),
  cap: storedMilliTokens.nullable(),
  beyondBudget: z.boolean().default(false),
  trialSeed: storedCount,
  codeVersion: z.string(),
  reuse: z.boolean(),
  register: z
    .strictObject({
      model: storedId,
      alias: storedId.nullable(),
      /** Left out: `if-better`. */
      move: z.enum(["if-better", "always"]).optional(),
    })
    .nullable(),
  keep: z.strictObject({ checkpoints: storedCount.optional(), logsMs: storedMs.optional() }).optional(),
  records: storedRecording.optional(),
});
export type StoredSweepSpec = z.infer<typeof storedSweepSpec>;
