/**
 * The sweep file as people write it, before names are looked up. Spaces and the dataset are left
 * open here (`unknown`), because a plain value, a list and a mapping are all allowed there.
 */
import * as z from "zod";
import { nameSchema } from "../../protocol/name.ts";
import { requirementSchema } from "../../protocol/requirement.ts";
import { stoppingSchema } from "../../protocol/stopping.ts";
import { searchSchema } from "../../protocol/sweep.ts";

const tokensMax = 1_000_000_000;
const defaultSeed = 1;

export const sweepFileSchema = z.strictObject({
  name: nameSchema,
  task: z.string(),
  dataset: z.unknown().optional(),
  objective: z
    .strictObject({ metric: z.string(), goal: z.enum(["maximize", "minimize"]).optional() })
    .optional(),
  search: z.strictObject({
    method: searchSchema.shape.method,
    trials: searchSchema.shape.trials,
    seed: searchSchema.shape.seed.default(defaultSeed),
  }),
  stopping: stoppingSchema,
  models: z.record(z.string(), z.unknown()),
  needs: requirementSchema.default({}),
  budget: z.strictObject({ tokens: z.number().positive().max(tokensMax) }).optional(),
  trialSeed: z.int().nonnegative().default(defaultSeed),
  reuse: z.boolean().default(true),
  register: z.strictObject({ model: nameSchema, alias: nameSchema.optional() }).optional(),
});
export type SweepFile = z.infer<typeof sweepFileSchema>;

/** A dataset that comes with trialmesh is given by its bare name; one from files by this. */
export const datasetShape = z.strictObject({
  name: nameSchema,
  format: z.enum(["labelled-lines"]),
  train: z.string(),
  dev: z.string().optional(),
  test: z.string().optional(),
  labels: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});
