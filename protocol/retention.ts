/** How long a mesh keeps bytes that nothing needs to go on. */
import * as z from "zod";

/** The longest that anything is kept by a number of ms: ten years. */
export const keptMsMax = 10 * 365 * 24 * 3_600_000;
export const keptMs = z.number().nonnegative().max(keptMsMax);
/** Best checkpoints of a sweep that are kept. */
export const checkpointsKeptMax = 100_000;

/** Times in ms. */
export const retentionSchema = z.object({
  /** So many checkpoints of each sweep, its best. */
  checkpoints: z.int().nonnegative().max(checkpointsKeptMax),
  /** After a sweep was removed, what it was run with and its best. */
  removedMs: keptMs,
  /** Between the mark and the removal. */
  graceMs: keptMs,
  /** What nothing speaks of may be part of an upload for so long after it was stored. */
  uploadMs: keptMs,
  /** What trials wrote, from when it was archived on; absent from coordinators that keep it in its stream only. */
  logsMs: keptMs.optional(),
});
