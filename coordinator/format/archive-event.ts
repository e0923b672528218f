/**
 * Where the curves and logs of ended trials lie once they are no longer only in their streams, as it stands in the journal since format 3.
 * An archive is of trials of one sweep, its curves one artifact and its logs another.
 */
import * as z from "zod";
import { storedCount, storedDigest, storedId } from "./stored-value.ts";

export const archiveEvents = [
  z.strictObject({
    kind: z.literal("TrialsArchived"),
    archive: storedCount,
    sweep: storedId,
    /** Each has ended, and is in no other archive. */
    trials: z.array(storedId),
    /** Left out where none of them has a point. */
    curves: storedDigest.exactOptional(),
    /** Left out where none of them has written anything. */
    logs: storedDigest.exactOptional(),
    /** What of it had come to the streams up to these sequences is in there: so it can be made again while they have it. */
    curvesTo: storedCount,
    logsTo: storedCount,
    /** Of both. */
    bytes: storedCount,
  }),
] as const;
