/**
 * What real sweeps were told they would cost and did cost, and each attempt as the core kept it: the file that `estimate-record` writes.
 * Not a journal: names of machines, parameters and scores stay out of it, and so does what was answered from the record.
 */
import * as z from "zod";
import { workEntity } from "../../coordinator/format/account-entity.ts";
import { listOf, shortText } from "../../protocol/bound.ts";
import { rateSchema } from "../../protocol/capability.ts";
import { sweepSpecSchema } from "../../protocol/sweep.ts";

const milliTokens = z.int().nonnegative();

const recordedSweep = z.object({
  spec: sweepSpecSchema,
  /** Mean length of the run queue over the minute before its launch. */
  load: z.number().nonnegative(),
  /** As the mesh said at launch; null where it knew nothing of any of its models. */
  told: z.object({ low: milliTokens, expected: milliTokens, high: milliTokens }).nullable(),
  cost: milliTokens,
  attempts: listOf(z.object({ work: shortText, sample: workEntity.shape.samples.element })),
});
export type RecordedSweep = z.infer<typeof recordedSweep>;

export const recordingSchema = z.object({
  cpuModel: shortText,
  cores: z.int().positive(),
  slots: z.int().positive(),
  rates: listOf(rateSchema),
  /** One after the other, as they were run. */
  sweeps: listOf(recordedSweep),
});
export type Recording = z.infer<typeof recordingSchema>;
