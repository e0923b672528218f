/**
 * A Katib Experiment (kubeflow.org/v1beta1) as far as it is read. Kubernetes' own parts (metadata, the pod) are left
 * open; Katib's own are strict, so that a mistake is reported.
 */
import * as z from "zod";

/** Kubernetes wants text here, and people write numbers. */
const text = z.union([z.string(), z.number()]).transform(String);

const parameterShape = z.strictObject({
  name: z.string().min(1),
  parameterType: z.enum(["double", "int", "discrete", "categorical"]),
  feasibleSpace: z.strictObject({
    min: text.optional(),
    max: text.optional(),
    step: text.optional(),
    list: z
      .array(z.union([z.string(), z.number(), z.boolean()]).transform(String))
      .min(1)
      .optional(),
    distribution: z.enum(["uniform", "logUniform", "normal", "logNormal"]).optional(),
  }),
});
export type KatibParameter = z.infer<typeof parameterShape>;

const settingsShape = z.array(z.strictObject({ name: z.string(), value: text })).default([]);

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
  collector: z.looseObject({ kind: z.string().default("StdOut") }).optional(),
  source: z
    .looseObject({
      filter: z.strictObject({ metricsFormat: z.array(z.string()).min(1).optional() }).optional(),
    })
    .optional(),
});

const trialTemplateShape = z.strictObject({
  trialParameters: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        description: z.string().optional(),
        reference: z.string().min(1),
      }),
    )
    .default([]),
  trialSpec: z.unknown().optional(),
  configMap: z.unknown().optional(),
  primaryContainerName: z.string().optional(),
  primaryPodLabels: z.unknown().optional(),
  successCondition: z.string().optional(),
  failureCondition: z.string().optional(),
  retain: z.boolean().optional(),
});
export type KatibTemplate = z.infer<typeof trialTemplateShape>;

const specShape = z.strictObject({
  parameters: z.array(parameterShape).min(1).optional(),
  objective: z.strictObject({
    type: z.enum(["maximize", "minimize"]),
    goal: z.number().optional(),
    objectiveMetricName: z.string().min(1),
    additionalMetricNames: z.array(z.string()).default([]),
    metricStrategies: z
      .array(z.strictObject({ name: z.string(), value: z.enum(["min", "max", "latest"]) }))
      .default([]),
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
  nasConfig: z.unknown().optional(),
  resumePolicy: z.enum(["Never", "LongRunning", "FromVolume"]).optional(),
});
export type KatibSpec = z.infer<typeof specShape>;

export const katibShape = z.strictObject({
  apiVersion: z.string(),
  kind: z.literal("Experiment"),
  metadata: z.looseObject({ name: z.string().optional(), generateName: z.string().optional() }).optional(),
  spec: specShape,
  status: z.unknown().optional(),
});
