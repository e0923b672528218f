/**
 * The sweep file as people write it, before names are looked up. Spaces and datasets are left open here (`unknown`),
 * because a plain value, a list and a mapping are all allowed there. Two forms: one trains models of trialmesh, the other
 * runs a command.
 */
import { secretNameText } from "../../protocol/secret.ts";
import * as z from "zod";
import { anyValue, longText, listOf, recordOf } from "../../protocol/bound.ts";
import { nameSchema } from "../../protocol/name.ts";
import { keepNames } from "../../protocol/program.ts";
import { preferenceSchema } from "../../protocol/requirement.ts";
import { keepShape } from "./keep-shape.ts";
import { needsShape } from "./needs-shape.ts";
import { stoppingSchema } from "../../protocol/stopping.ts";
import { aliasMoveSchema, objectiveSchema, searchSchema, sweepSpecSchema } from "../../protocol/sweep.ts";

const tokensMax = 1_000_000_000;
const defaultSeed = 1;

const spec = sweepSpecSchema.shape;
const objectivesMax = 4;

const searchShape = z.strictObject({
  method: searchSchema.shape.method.default("auto"),
  trials: searchSchema.shape.trials,
  seed: searchSchema.shape.seed.default(defaultSeed),
});

/** What both forms have. */
const common = { name: nameSchema, search: searchShape };

const objectiveShape = objectiveSchema.extend({ goal: objectiveSchema.shape.goal.optional() });

const budgetShape = z.strictObject({ tokens: z.number().positive().max(tokensMax) });

/** A name alone is the model's; what is registered then moves no alias. */
const registerShape = z.union([
  nameSchema.transform((model) => ({ model, alias: undefined, move: undefined })),
  z.strictObject({ model: nameSchema, alias: nameSchema.optional(), move: aliasMoveSchema.optional() }),
]);

export const sweepFileSchema = z.strictObject({
  ...common,
  experiment: nameSchema.optional(),
  task: longText,
  dataset: anyValue.optional(),
  gate: spec.gate,
  /** One sweep for each, all in one experiment. */
  datasets: listOf(anyValue).min(1).optional(),
  objective: objectiveShape.optional(),
  /** In place of `objective`; the first is the one results are ranked by. */
  objectives: listOf(objectiveShape).min(1).max(objectivesMax).optional(),
  stopping: stoppingSchema,
  models: recordOf(longText, anyValue),
  needs: needsShape.prefault({}),
  prefers: preferenceSchema.optional(),
  weight: spec.weight,
  priority: spec.priority,
  beyondBudget: spec.beyondBudget,
  budget: budgetShape.optional(),
  keep: keepShape.optional(),
  trialSeed: z.int().nonnegative().default(defaultSeed),
  reuse: z.boolean().default(true),
  register: registerShape.optional(),
});
export type SweepFile = z.infer<typeof sweepFileSchema>;

/** A dataset that comes with trialmesh is given by its bare name; one from files by this. */
export const datasetShape = z.strictObject({
  name: nameSchema,
  format: z.enum(["labelled-lines"]),
  train: longText,
  dev: longText.optional(),
  test: longText.optional(),
  labels: recordOf(longText, z.union([longText, z.number(), z.boolean()])).optional(),
});

export const readNames = ["words", "environment"] as const;

const commandObjectiveShape = objectiveShape.extend({ keep: z.enum(keepNames).default("last") });

const parallelMax = 256;

export const commandFileSchema = z.strictObject({
  ...common,
  experiment: nameSchema.optional(),
  /** Words, in which macros such as ${args} stand for the trial's parameters. */
  command: listOf(z.union([longText, z.number()]))
    .min(1)
    .optional(),
  /** In place of a command: a TypeScript or JavaScript file that exports `train`. */
  module: longText.min(1).optional(),
  /** What a module trains on. */
  dataset: anyValue.optional(),
  /** From where it takes its parameters: the words of the command, or the file that a variable of its environment names. */
  reads: z.enum(readNames).default("words"),
  /** What ${program} stands for. */
  program: longText.min(1).optional(),
  environment: recordOf(longText.min(1), longText).default({}),
  objective: commandObjectiveShape.optional(),
  objectives: listOf(commandObjectiveShape).min(1).max(objectivesMax).optional(),
  parameters: recordOf(longText.min(1), anyValue),
  where: anyValue.optional(),
  /** Prefixes: with `optimizer` here, `optimizer.lr` is passed as lr inside one argument called optimizer. */
  nested: listOf(longText.min(1)).default([]),
  /** Regular expressions with a name and a value group, in place of the usual name=value. */
  metricFormat: listOf(longText.min(1)).default([]),
  stopping: stoppingSchema.optional(),
  parallel: z.int().min(1).max(parallelMax).default(1),
  /** The sweep ends once more trials than this have failed. */
  failuresMax: z.int().min(0).optional(),
  /** On a mesh: the folder, within that of the program, in which it leaves its model; it is its checkpoint folder then. */
  output: longText.min(1).optional(),
  /** On a mesh: what the best trial left in `output` becomes a version. */
  register: registerShape.optional(),
  /** On a mesh: names of secrets (`trialmesh secret set`) that the command gets as variables. */
  secrets: listOf(secretNameText).default([]),
  /** The command that answers with what is registered, where its files are of no format that runs no code; ${port} is where. */
  serve: listOf(z.union([longText, z.number()]))
    .min(1)
    .optional(),
  /** On a mesh: what of the folder travels with the trials. */
  files: listOf(longText.min(1)).min(1).optional(),
  needs: needsShape.prefault({}),
  prefers: preferenceSchema.optional(),
  weight: spec.weight,
  priority: spec.priority,
  beyondBudget: spec.beyondBudget,
  budget: budgetShape.optional(),
  keep: keepShape.optional(),
  trialSeed: z.int().nonnegative().default(defaultSeed),
  reuse: z.boolean().default(false),
});
export type CommandFile = z.infer<typeof commandFileSchema>;
