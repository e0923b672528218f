/** What the mesh's store holds that nothing refers to, and what keeps an artifact: the answer to the query `garbage`. */
import * as z from "zod";
import { answerList, answerText } from "./bound.ts";
import { retentionSchema } from "./retention.ts";

const count = z.int().nonnegative();
const sum = z.object({ artifacts: count, bytes: count });

export const garbageView = z.object({
  /** Of the whole store, as the server counts. */
  storedBytes: count,
  /** Artifacts, and packs of small ones. */
  stored: count,
  retention: retentionSchema,
  /** What would go now, the largest first. */
  artifacts: answerList(
    z.object({
      digest: answerText,
      bytes: count,
      /** Why nothing refers to it. */
      why: answerText,
      /** When it goes, ms since the Unix epoch in the coordinator's time; null where it is not marked yet. */
      until: z.number().nullable(),
    }),
  ),
  garbage: sum,
  /** Nothing refers to these either; they were stored so lately that somebody may be about to. */
  young: sum,
  /** Collected, and their removal is under way. */
  leaving: sum,
  /** The last whole look by whoever leads; null before the first. */
  looked: z.object({ at: z.number(), artifacts: count, bytes: count }).nullable(),
  /** Somebody has asked for a look that has not been taken yet. */
  isAsked: z.boolean(),
  /** Whoever leads has just begun, and removes nothing before so long, ms; 0 where it does. */
  restMs: z.number().nonnegative(),
  /** Of the artifact that was asked about; null where none was. */
  subject: z
    .object({
      digest: answerText,
      state: z.enum(["kept", "marked", "collected", "stored", "not stored"]),
      /** What refers to it; of one that nothing does, what became of it. */
      reasons: answerList(answerText),
    })
    .nullable(),
});
export type GarbageView = z.infer<typeof garbageView>;
