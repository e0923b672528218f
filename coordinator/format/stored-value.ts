/**
 * Small values as they stand in the journal and in the projection. They were checked in full when they came in (`protocol/`);
 * what is read back is checked for its shape only, so that a limit of the wire can change and no old journal with it.
 */
import * as z from "zod";

export const storedId = z.string();
export const storedFence = z.int();
export const storedDigest = z.string();
export const storedMilliTokens = z.int();
export const storedCount = z.int();
/** What a pack of small artifacts is called. */
export const storedPack = z.int();
/** ms since the Unix epoch, or a duration in ms. */
export const storedMs = z.number();

export const storedValue = z.union([z.number(), z.string(), z.boolean()]);
export const storedParams = z.record(z.string(), storedValue);
export const storedMetrics = z.record(z.string(), z.number());

export const storedBackendName = z.enum([
  "tfjs-node-gpu",
  "tfjs-node",
  "webgpu",
  "wasm",
  "cpu",
  "sparse",
  "none",
]);
export const storedRung = z.enum(["none", "bubblewrap"]);
export const storedDtype = z.enum(["f16", "bf16", "f32", "f64"]);

export const storedCheckpoint = z.strictObject({ resource: storedCount, digest: storedDigest });

/** A trial's best epoch by its objective, with the checkpoint of it. */
export const storedBestEpoch = z.strictObject({
  resource: storedCount,
  digest: storedDigest,
  bytes: storedCount,
  metrics: storedMetrics,
  value: z.number(),
});

/** A token bucket: `amount` more every `everyMs`, while less than `upTo` is available. */
export const storedRefill = z.strictObject({
  amount: storedMilliTokens,
  everyMs: storedMs,
  upTo: storedMilliTokens,
});
export type StoredRefill = z.infer<typeof storedRefill>;

/** How long bytes are kept that nothing needs to go on; times in ms. */
export const storedRetention = z.strictObject({
  /** So many checkpoints of each sweep, its best. */
  checkpoints: storedCount,
  /** After a sweep was removed, what it was run with and its best. */
  removedMs: storedMs,
  /** Between the mark and the removal. */
  graceMs: storedMs,
  /** What nothing speaks of may be part of an upload for so long after it was stored. */
  uploadMs: storedMs,
  /** What trials wrote, after it was archived; left out before that could be set. */
  logsMs: storedMs.exactOptional(),
});
export type StoredRetention = z.infer<typeof storedRetention>;

/** What people wrote about a sweep or a trial. */
export const storedLabels = {
  tags: z.array(z.string()).exactOptional(),
  notes: z.string().exactOptional(),
};
