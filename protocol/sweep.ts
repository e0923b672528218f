/**
 * A sweep as it travels to the coordinator: complete, with its dataset already an artifact.
 * The YAML people write is read by the command line, which fills in what they left out.
 */
import * as z from "zod";
import { digestSchema } from "./id.ts";
import { nameSchema } from "./name.ts";
import { requirementSchema } from "./requirement.ts";
import { spaceSchema } from "./space.ts";
import { milliTokensSchema } from "./token.ts";

export const trialsMax = 1_000_000;

export const stoppingSchema = z
  .discriminatedUnion("policy", [
    z.strictObject({ policy: z.literal("none"), max: z.int().min(1) }),
    z.strictObject({
      policy: z.literal("asha"),
      /** Resource (epochs) at the first rung. */
      min: z.int().min(1),
      max: z.int().min(1),
      /** One in `eta` trials is promoted from a rung to the next. */
      eta: z.int().min(2),
    }),
  ])
  .superRefine((stopping, context) => {
    if (stopping.policy === "asha" && stopping.min > stopping.max) {
      context.addIssue({
        code: "custom",
        path: ["min"],
        message: `min ${stopping.min} is above max ${stopping.max}`,
      });
    }
  });
export type Stopping = z.infer<typeof stoppingSchema>;

export const searchSchema = z.strictObject({
  method: z.enum(["grid", "random"]),
  /** At most this many trials; a grid may hold fewer. */
  trials: z.int().min(1).max(trialsMax),
  seed: z.int().nonnegative(),
});

export const datasetRefSchema = z.strictObject({
  name: nameSchema,
  digest: digestSchema,
  bytes: z.int().nonnegative(),
  rows: z.strictObject({
    train: z.int().nonnegative(),
    validation: z.int().nonnegative(),
    test: z.int().nonnegative(),
  }),
});
export type DatasetRef = z.infer<typeof datasetRefSchema>;

export const sweepSpecSchema = z.strictObject({
  name: nameSchema,
  task: z.string().min(1),
  /** Null for tasks that read no data. */
  dataset: datasetRefSchema.nullable(),
  objective: z.strictObject({ metric: z.string().min(1), goal: z.enum(["maximize", "minimize"]) }),
  search: searchSchema,
  stopping: stoppingSchema,
  models: z.array(z.strictObject({ model: z.string().min(1), space: spaceSchema })).min(1),
  needs: requirementSchema,
  /** The most this sweep may spend, in milli-tokens; null leaves it to the account. */
  cap: milliTokensSchema.nullable(),
  /** Seed of every trial's own randomness. */
  trialSeed: z.int().nonnegative(),
  /** What the code that trains is called; a new name makes old results count no more. */
  codeVersion: z.string().min(1),
  reuse: z.boolean(),
  register: z.strictObject({ model: nameSchema, alias: nameSchema.nullable() }).nullable(),
});
export type SweepSpec = z.infer<typeof sweepSpecSchema>;
