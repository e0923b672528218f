/** What a sweep has taught: importance, progress, slices and lines. */
import * as z from "zod";
import { answerList, answerText } from "./bound.ts";
import { objectiveSchema } from "./sweep.ts";

const count = z.int().nonnegative();

/** A parameter's scale. Positions along it run from 0 to 1; categories stand evenly spaced, in their order. */
const insightAxis = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("number"), log: z.boolean(), min: z.number(), max: z.number() }),
  z.object({ kind: z.literal("category"), categories: answerList(answerText) }),
]);
export type InsightAxis = z.infer<typeof insightAxis>;

/** What a sweep has taught so far. A `score` is the objective's value at the epoch at which all trials here are compared. */
export const insightView = z.object({
  sweep: answerText,
  name: answerText,
  ...objectiveSchema.shape,
  /** What all of this rests on, or why there is nothing yet. */
  sentence: answerText,
  compared: z.object({ resource: count, trials: count }),
  /** The share of being among the best that each parameter decided, highest first, summing to 1 (PED-ANOVA); empty where nothing can be said. */
  importance: answerList(z.object({ parameter: answerText, share: z.number() })),
  /** A step line: one point per improvement, and one for how far the sweep has come. `elapsed` in ms since it was submitted. */
  bestSoFar: answerList(z.object({ trials: count, spent: count, elapsed: z.number(), value: z.number() })),
  /** Null while there are too few trials. `gain` in the metric's unit, `cost` of the trials it speaks of. */
  gain: z
    .object({ gain: z.number(), chance: z.number(), cost: z.number(), suggestStop: z.boolean() })
    .nullable(),
  /** The prediction in words, or why there is none. */
  gainSentence: answerText,
  /** The most important parameters, in that order, with the best and the newest trials along each. */
  slices: answerList(
    z.object({
      parameter: answerText,
      axis: insightAxis,
      points: answerList(z.object({ value: z.union([z.number(), answerText]), score: z.number() })),
    }),
  ),
  /** Parallel coordinates, the best trial first: where it stands along the axis of each slice; null where the parameter is inactive. */
  lines: answerList(
    z.object({ trial: answerText, score: z.number(), at: answerList(z.number().nullable()) }),
  ),
  /** How the sampler says it finds its proposals; null before it said. */
  note: answerText.nullable(),
  /** With several objectives: the compared trials that no other beats in all of them, and how many they are; else null. */
  front: z
    .object({
      objectives: answerList(objectiveSchema),
      trials: answerList(z.object({ trial: answerText, values: answerList(z.number()) })),
      count,
    })
    .nullable(),
});
export type InsightView = z.infer<typeof insightView>;
