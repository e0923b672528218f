/** What one lane says of one round: the same line of JSON from a child of ours as from a peer's script. */
import * as z from "zod";

export const laneRoundSchema = z.object({
  /** Rows read, and those left after repeats are dropped. */
  rows: z.int().positive(),
  kept: z.int().positive(),
  buildSeconds: z.number().positive(),
  profileSeconds: z.number().positive(),
  /** Of all threads, start of the process included. On a shared machine it says more than the clock does. */
  processorSeconds: z.number().positive(),
  /** Largest resident memory of the process. */
  peakMiB: z.number().positive(),
  /** Two figures that show whether the lanes did the same work. */
  meanCharacters: z.number(),
  meanWords: z.number(),
  versionMiB: z.number().optional(),
});
export type LaneRound = z.infer<typeof laneRoundSchema>;

export function rowsPerSecond({ rows, buildSeconds, profileSeconds }: LaneRound): number {
  return rows / (buildSeconds + profileSeconds);
}
