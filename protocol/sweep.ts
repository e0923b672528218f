/**
 * A sweep as it travels to the coordinator: complete, with its dataset already an artifact.
 * The YAML people write is read by the command line, which fills in what they left out.
 */
import * as z from "zod";
import { shortText, listOf } from "./bound.ts";
import { constraintSchema } from "./constraint.ts";
import { datasetRefSchema, recordingSchema } from "./dataset.ts";
import { digestSchema } from "./id.ts";
import { nameSchema } from "./name.ts";
import { programSchema } from "./program.ts";
import { preferenceSchema, requirementSchema } from "./requirement.ts";
import { checkpointsKeptMax, keptMs } from "./retention.ts";
import { spaceSchema } from "./space.ts";
import { stoppingSchema } from "./stopping.ts";
import { milliTokensSchema } from "./token.ts";

export const trialsMax = 1_000_000;
/** A lease names them all, and has to fit into a message. */
const partsMax = 1_000;

/** `outside`: trials come from another process that is asked for them. */
export const methodNames = [
  "auto",
  "grid",
  "random",
  "sobol",
  "tpe",
  "gp",
  "cma-es",
  "pbt",
  "nsga-ii",
  "outside",
] as const;

export const searchSchema = z.strictObject({
  method: z.enum(methodNames),
  /** At most this many trials; a grid may hold fewer. */
  trials: z.int().min(1).max(trialsMax),
  seed: z.int().nonnegative(),
});

export const objectiveSchema = z.strictObject({
  metric: shortText.min(1),
  goal: z.enum(["maximize", "minimize"]),
});
export type Objective = z.infer<typeof objectiveSchema>;

/** When a sweep's alias moves to what it has registered: only to a better version, which is meant where it is left out, or always. */
export const aliasMoveSchema = z.enum(["if-better", "always"]);

export const keepSchema = z.strictObject({
  checkpoints: z.int().nonnegative().max(checkpointsKeptMax).optional(),
  logsMs: keptMs.optional(),
});

export const sweepSpecSchema = z.strictObject({
  name: nameSchema,
  /** The series of sweeps it belongs to, which together answer one question. */
  experiment: nameSchema.nullable().default(null),
  task: shortText.min(1),
  /** Null for tasks that read no data. */
  dataset: datasetRefSchema.nullable(),
  /** It demands that its dataset's expectations hold, and is refused before it costs anything where they do not. */
  gate: z.boolean().default(false),
  /** Artifacts that every trial needs beside its dataset: what a build reads, a program's files. */
  parts: listOf(digestSchema, partsMax).default([]),
  /** The program its trials run, whose bundle is one of the parts; null where they train models of trialmesh. */
  program: programSchema.nullable().default(null),
  objective: objectiveSchema,
  /** Further objectives; with any, results are compared by dominance and not by one number. */
  alsoObjectives: listOf(objectiveSchema, 3).default([]),
  search: searchSchema,
  stopping: stoppingSchema,
  models: listOf(
    z.strictObject({
      model: shortText.min(1),
      space: spaceSchema,
      where: listOf(constraintSchema).default([]),
    }),
  ).min(1),
  needs: requirementSchema,
  prefers: preferenceSchema.default({ first: "fastest", nearData: true, labels: {} }),
  /** Its share of its requester's turn, beside the requester's other sweeps. */
  weight: z.number().positive().max(1000).default(1),
  /** A requester's sweeps of higher priority are served before those of lower. */
  priority: z.int().min(-100).max(100).default(0),
  /** The most this sweep may spend, in milli-tokens; null leaves it to the account. */
  cap: milliTokensSchema.nullable(),
  /** Accepted though its estimate is above what the account has: it will wait for further grants. */
  beyondBudget: z.boolean().default(false),
  /** Seed of every trial's own randomness. */
  trialSeed: z.int().nonnegative(),
  /** What the code that trains is called; a new name makes old results count no more. */
  codeVersion: shortText.min(1),
  reuse: z.boolean(),
  register: z
    .strictObject({ model: nameSchema, alias: nameSchema.nullable(), move: aliasMoveSchema.optional() })
    .nullable(),
  /** Instead of what the mesh keeps of each sweep that has ended. */
  keep: keepSchema.optional(),
  /** Of a sweep that builds a dataset: what the mesh records when it is done, whoever is still there by then. */
  records: recordingSchema.optional(),
});
export type SweepSpec = z.infer<typeof sweepSpecSchema>;
