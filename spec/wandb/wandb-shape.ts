/** The top level of a W&B sweep file, after W&B's own schema. Parameters are read one by one elsewhere. */
import * as z from "zod";
import { anyValue, longText, listOf, recordOf } from "../../protocol/bound.ts";

const imputes = ["latest", "best", "worst"] as const;

const metricShape = z.strictObject({
  name: longText.min(1),
  goal: z.enum(["minimize", "maximize"]).default("minimize"),
  target: z.number().optional(),
  impute: z.enum(imputes).optional(),
  impute_while_running: z.union([z.enum([...imputes, "false"]), z.literal(false)]).optional(),
});

const earlyTerminateShape = z.strictObject({
  type: z.enum(["hyperband"]),
  min_iter: z.int().min(1).optional(),
  max_iter: z.int().min(1).optional(),
  s: z.int().min(1).optional(),
  eta: z.number().gt(1).default(3),
  strict: z.boolean().optional(),
});
export type EarlyTerminate = z.infer<typeof earlyTerminateShape>;

export const wandbMethods = ["grid", "random", "bayes", "custom"] as const;

export const wandbShape = z.strictObject({
  method: z.enum(wandbMethods),
  parameters: recordOf(longText, anyValue),
  metric: metricShape.optional(),
  program: longText.min(1).optional(),
  command: listOf(longText).min(1).optional(),
  run_cap: z.int().positive().optional(),
  early_terminate: earlyTerminateShape.optional(),
  name: longText.optional(),
  description: longText.optional(),
  project: longText.optional(),
  entity: longText.optional(),
  apiVersion: longText.optional(),
  kind: z.enum(["sweep"]).optional(),
  controller: z.strictObject({ type: z.enum(["local", "cloud"]) }).optional(),
  job: anyValue.optional(),
  image_uri: anyValue.optional(),
  metrics: anyValue.optional(),
  scheduler: anyValue.optional(),
});
export type WandbFile = z.infer<typeof wandbShape>;
