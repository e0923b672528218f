/** What the coordinator's projection keeps of an archive. */
import * as z from "zod";
import { storedCount, storedDigest, storedId, storedMs } from "./stored-value.ts";

export const archiveEntity = z.strictObject({
  archive: storedCount,
  sweep: storedId,
  at: storedMs,
  trials: z.array(storedId),
  curves: storedDigest.exactOptional(),
  logs: storedDigest.exactOptional(),
  curvesTo: storedCount,
  logsTo: storedCount,
  bytes: storedCount,
});
