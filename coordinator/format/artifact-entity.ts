/** What the coordinator's projection keeps of the bytes that are pinned, marked to go, or gone. */
import * as z from "zod";
import { storedCount, storedDigest, storedMs } from "./stored-value.ts";

export const pinEntity = z.strictObject({
  digest: storedDigest,
  by: z.string(),
  why: z.string(),
  at: storedMs,
  /** Until when it counts; absent: until it is taken away. */
  until: storedMs.exactOptional(),
});

export const markEntity = z.strictObject({
  mark: storedCount,
  at: storedMs,
  until: storedMs,
  /** `collected`: nothing may refer to it any more; `removed`: its bytes are not there either. */
  state: z.enum(["marked", "collected", "removed"]),
  /** Messages of the mesh's store from this sequence on are not of it; absent before it is collected. */
  before: storedCount.exactOptional(),
  /** What is left of it; of a removed one what trials still speak of. */
  artifacts: z.array(
    z.strictObject({ digest: storedDigest, bytes: storedCount, orphan: z.literal(true).exactOptional() }),
  ),
});
