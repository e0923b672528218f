/** What a sweep searches and how its trials are judged, as it stands in the journal. The wire's forms: `protocol/space.ts`, `stopping.ts`. */
import * as z from "zod";
import { storedCount, storedValue } from "./stored-value.ts";

const condition = z.union([
  storedValue,
  z.array(storedValue),
  z.strictObject({ min: z.number().optional(), max: z.number().optional() }),
  z.strictObject({ not: z.union([storedValue, z.array(storedValue)]) }),
]);
const when = z.record(z.string(), condition).optional();
const step = z.number().optional();
const bounds = { min: z.number(), max: z.number() };

const distribution = z.discriminatedUnion("distribution", [
  z.strictObject({ distribution: z.literal("uniform"), ...bounds, step, when }),
  z.strictObject({ distribution: z.literal("log-uniform"), ...bounds, step, when }),
  z.strictObject({ distribution: z.literal("int"), ...bounds, step, when }),
  z.strictObject({ distribution: z.literal("log-int"), ...bounds, step, when }),
  z.strictObject({
    distribution: z.literal("normal"),
    mean: z.number(),
    deviation: z.number(),
    step,
    when,
  }),
  z.strictObject({
    distribution: z.literal("log-normal"),
    mean: z.number(),
    deviation: z.number(),
    step,
    when,
  }),
  z.strictObject({ distribution: z.literal("beta"), a: z.number(), b: z.number(), step, when }),
  z.strictObject({
    distribution: z.literal("quantised"),
    ...bounds,
    step: z.number(),
    log: z.boolean().optional(),
    when,
  }),
  z.strictObject({
    distribution: z.literal("choice"),
    values: z.array(storedValue),
    weights: z.array(z.number()).optional(),
    when,
  }),
  z.strictObject({ distribution: z.literal("constant"), value: storedValue, when }),
]);

export const storedSpace = z.record(z.string(), distribution);

export const storedConstraint = z.strictObject({
  text: z.string(),
  terms: z.array(z.strictObject({ coefficient: z.number(), parameters: z.array(z.string()) })),
  relation: z.enum(["<=", "<", "==", "!="]),
});

export const storedSearch = z.strictObject({
  method: z.enum(["auto", "grid", "random", "sobol", "tpe", "gp", "cma-es", "pbt", "nsga-ii", "outside"]),
  trials: storedCount,
  seed: storedCount,
});

export const storedObjective = z.strictObject({
  metric: z.string(),
  goal: z.enum(["maximize", "minimize"]),
});

const common = { max: storedCount, target: z.number().optional() };
const halving = { min: storedCount, eta: storedCount };
const interval = { interval: storedCount.optional(), grace: storedCount.optional() };

export const storedStopping = z.discriminatedUnion("policy", [
  z.strictObject({ policy: z.literal("none"), ...common }),
  z.strictObject({ policy: z.literal("asha"), ...common, ...halving }),
  z.strictObject({ policy: z.literal("hyperband"), ...common, ...halving }),
  z.strictObject({ policy: z.literal("bohb"), ...common, ...halving }),
  z.strictObject({ policy: z.literal("median"), ...common, ...interval, minTrials: storedCount }),
  z.strictObject({
    policy: z.literal("percentile"),
    ...common,
    ...interval,
    minTrials: storedCount,
    percentile: z.number(),
  }),
  z.strictObject({
    policy: z.literal("patience"),
    ...common,
    ...interval,
    patience: storedCount,
    minDelta: z.number(),
  }),
]);
