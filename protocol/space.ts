/**
 * A search space: one distribution per parameter, some of them only under a condition. Sampling from it is
 * the room `search`.
 */
import * as z from "zod";
import { shortText, listOf, recordOf, manyEntriesMax } from "./bound.ts";
import { whenSchema } from "./condition.ts";
import { valueSchema } from "./value.ts";

const bounds = { min: z.number(), max: z.number() };
const step = z.number().positive().optional();
/** Left out: the parameter always has a value. */
const when = whenSchema.optional();

export const distributionSchema = z
  .discriminatedUnion("distribution", [
    z.strictObject({ distribution: z.literal("uniform"), ...bounds, step, when }),
    z.strictObject({ distribution: z.literal("log-uniform"), ...bounds, step, when }),
    z.strictObject({ distribution: z.literal("int"), min: z.int(), max: z.int(), step, when }),
    z.strictObject({ distribution: z.literal("log-int"), min: z.int(), max: z.int(), step, when }),
    z.strictObject({
      distribution: z.literal("normal"),
      mean: z.number(),
      deviation: z.number().positive(),
      step,
      when,
    }),
    z.strictObject({
      distribution: z.literal("log-normal"),
      mean: z.number(),
      deviation: z.number().positive(),
      step,
      when,
    }),
    /** On 0 to 1, with the mean a / (a + b). */
    z.strictObject({
      distribution: z.literal("beta"),
      a: z.number().positive(),
      b: z.number().positive(),
      step,
      when,
    }),
    /**
     * A uniform number, or with `log` a log-uniform one, rounded to the nearest multiple of `step`. Nothing is clipped:
     * the outermost values may lie up to half a step outside, and are rarer than the others where they do not.
     */
    z.strictObject({
      distribution: z.literal("quantised"),
      ...bounds,
      step: z.number().positive(),
      log: z.boolean().optional(),
      when,
    }),
    z.strictObject({
      distribution: z.literal("choice"),
      values: listOf(valueSchema, manyEntriesMax).min(1),
      weights: listOf(z.number().nonnegative(), manyEntriesMax).optional(),
      when,
    }),
    z.strictObject({ distribution: z.literal("constant"), value: valueSchema, when }),
  ])
  .superRefine((d, context) => {
    const fail = (message: string, path: string) =>
      context.addIssue({ code: "custom", message, path: [path] });
    if ("min" in d && d.min > d.max) fail(`min ${d.min} is above max ${d.max}`, "min");
    const logarithmic =
      d.distribution === "log-uniform" ||
      d.distribution === "log-int" ||
      (d.distribution === "quantised" && d.log === true);
    if (logarithmic && d.min <= 0) {
      fail(`a logarithmic scale needs min above 0, not ${d.min}`, "min");
    }
    if (d.distribution === "choice" && d.weights !== undefined) {
      if (d.weights.length !== d.values.length)
        fail(`${d.values.length} values need as many weights`, "weights");
      if (!d.weights.some((weight) => weight > 0)) fail("at least one weight must be above 0", "weights");
    }
  });
export type Distribution = z.infer<typeof distributionSchema>;

export const distributionNames = [
  "uniform",
  "log-uniform",
  "int",
  "log-int",
  "normal",
  "log-normal",
  "beta",
  "quantised",
  "choice",
  "constant",
] as const;

/** One name is no name: objects and encodings give it a meaning of their own. */
const parameterName = shortText
  .min(1)
  .refine((name) => name !== "__proto__", "a parameter cannot be called __proto__");

export const spaceSchema = recordOf(parameterName, distributionSchema);
export type Space = z.infer<typeof spaceSchema>;
