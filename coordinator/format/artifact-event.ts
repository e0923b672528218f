/**
 * What happens to the bytes that the mesh keeps, as it stands in the journal since format 3: what somebody pins, what nothing refers
 * to any more, how long what is kept. A mark is a number of artifacts that go together.
 */
import * as z from "zod";
import { storedCount, storedDigest, storedMs, storedRetention } from "./stored-value.ts";

const mark = storedCount;

export const artifactEvents = [
  z.strictObject({
    kind: z.literal("ArtifactPinned"),
    digest: storedDigest,
    by: z.string(),
    why: z.string(),
    /** Until when it counts, ms; left out: until it is taken away. */
    until: storedMs.exactOptional(),
  }),
  z.strictObject({ kind: z.literal("ArtifactUnpinned"), digest: storedDigest, by: z.string() }),
  z.strictObject({ kind: z.literal("RetentionSet"), by: z.string(), retention: storedRetention }),
  /** Somebody wants a look at what could go, now; `graceMs`: instead of the grace that is set. */
  z.strictObject({
    kind: z.literal("CollectionAsked"),
    by: z.string(),
    graceMs: storedMs.exactOptional(),
  }),
  z.strictObject({ kind: z.literal("CollectionLooked"), artifacts: storedCount, bytes: storedCount }),
  /** Nothing refers to these; they go at `until` where that is so then. */
  z.strictObject({
    kind: z.literal("ArtifactsMarked"),
    mark,
    until: storedMs,
    /** `orphan`: no trial and no sweep on record names it, so nobody will ask what became of it. */
    artifacts: z.array(
      z.strictObject({
        digest: storedDigest,
        bytes: storedCount,
        orphan: z.literal(true).exactOptional(),
      }),
    ),
  }),
  /** Earlier than it was said when they were marked. */
  z.strictObject({ kind: z.literal("MarkHastened"), mark, until: storedMs }),
  /** Something refers to these again, or may be about to. */
  z.strictObject({ kind: z.literal("ArtifactsUnmarked"), mark, digests: z.array(storedDigest) }),
  /** From here on what is left of the mark is gone, though its bytes may still lie there: nothing new refers to it. */
  z.strictObject({
    kind: z.literal("ArtifactsCollected"),
    mark,
    /** Of its bytes only messages of a lower sequence are removed: what is stored later is somebody's. */
    before: storedCount,
  }),
  /** Its bytes are not in the mesh's store any more. */
  z.strictObject({ kind: z.literal("ArtifactsRemoved"), mark }),
] as const;
