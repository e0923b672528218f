/**
 * A Katib Experiment (kubeflow.org/v1beta1) as far as it is read. Kubernetes' own parts (metadata, the pod) are left
 * open; Katib's own are strict, so that a mistake is reported.
 */
import * as z from "zod";
import { anyValue, longText, listOf } from "../../protocol/bound.ts";

const parameterShape = z.strictObject({
  name: longText.min(1),
  parameterType: z.enum(["double", "int", "discrete", "categorical"]),
  feasibleSpace: z.strictObject({
    min: longText.optional(),
    max: longText.optional(),
    step: longText.optional(),
    list: listOf(longText).min(1).optional(),
    distribution: z.enum(["uniform", "logUniform", "normal", "logNormal"]).optional(),
  }),
});
export type KatibParameter = z.infer<typeof parameterShape>;

const settingsShape = listOf(z.strictObject({ name: longText, value: longText })).default([]);

export const katibAlgorithms = [
  "random",
  "grid",
  "tpe",
  "multivariate-tpe",
  "bayesianoptimization",
  "cmaes",
  "sobol",
  "hyperband",
  "pbt",
  "enas",
  "darts",
] as const;
export type KatibAlgorithm = (typeof katibAlgorithms)[number];

const count = z.int().min(1);

const metricsCollectorShape = z.strictObject({
  collector: z.looseObject({ kind: longText.default("StdOut") }).optional(),
  source: z
    .looseObject({
      filter: z.strictObject({ metricsFormat: listOf(longText).min(1).optional() }).optional(),
    })
    .optional(),
});

const trialTemplateShape = z.strictObject({
  trialParameters: listOf(
    z.strictObject({
      name: longText.min(1),
      description: longText.optional(),
      reference: longText.min(1),
    }),
  ).default([]),
  trialSpec: anyValue.optional(),
  configMap: anyValue.optional(),
  primaryContainerName: longText.optional(),
  primaryPodLabels: anyValue.optional(),
  successCondition: longText.optional(),
  failureCondition: longText.optional(),
  retain: z.boolean().optional(),
});
export type KatibTemplate = z.infer<typeof trialTemplateShape>;

const specShape = z.strictObject({
  parameters: listOf(parameterShape).min(1).optional(),
  objective: z.strictObject({
    type: z.enum(["maximize", "minimize"]),
    goal: z.number().optional(),
    objectiveMetricName: longText.min(1),
    additionalMetricNames: listOf(longText).default([]),
    metricStrategies: listOf(
      z.strictObject({ name: longText, value: z.enum(["min", "max", "latest"]) }),
    ).default([]),
  }),
  algorithm: z.strictObject({
    algorithmName: z.enum(katibAlgorithms),
    algorithmSettings: settingsShape,
  }),
  earlyStopping: z
    .strictObject({ algorithmName: z.enum(["medianstop"]), algorithmSettings: settingsShape })
    .optional(),
  parallelTrialCount: count.default(3),
  maxTrialCount: count.optional(),
  maxFailedTrialCount: z.int().min(0).optional(),
  trialTemplate: trialTemplateShape,
  metricsCollectorSpec: metricsCollectorShape.optional(),
  nasConfig: anyValue.optional(),
  resumePolicy: z.enum(["Never", "LongRunning", "FromVolume"]).optional(),
});
export type KatibSpec = z.infer<typeof specShape>;

export const katibShape = z.strictObject({
  apiVersion: longText,
  kind: z.literal("Experiment"),
  metadata: z.looseObject({ name: longText.optional(), generateName: longText.optional() }).optional(),
  spec: specShape,
  status: anyValue.optional(),
});
