/** What a sweep will cost, before it is launched. Amounts are milli-tokens. */
import * as z from "zod";
import { answerList, answerText } from "./bound.ts";

const count = z.int().nonnegative();

const costRange = z.object({ low: count, expected: count, high: count });
export const estimateView = z.object({
  trials: count,
  ...costRange.shape,
  /** Trials of it that have run before and are answered for nothing. */
  onRecord: count,
  models: answerList(
    z.object({
      model: answerText,
      /** Past attempts the range rests on; 0: the agents' probes. */
      attempts: count,
      /** Null where nothing is known about this kind. */
      range: costRange.nullable(),
    }),
  ),
  available: count,
  /** False where even the least is more than there is. */
  fits: z.boolean(),
  sentence: answerText,
});
export type EstimateView = z.infer<typeof estimateView>;
