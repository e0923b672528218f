/** Versions on trial beside the one that a deployment answers with, and what its replicas have seen of its canary, as they stand in the journal and in the projection. */
import * as z from "zod";
import { storedCount, storedFence, storedId, storedMs } from "./stored-value.ts";

const storedTried = z.strictObject({ model: storedId, version: storedCount });

export const storedTrialWish = z.strictObject({
  /** Of callers it answers this share, 0 to 1. */
  canary: z.strictObject({ ...storedTried.shape, share: z.number() }).exactOptional(),
  shadow: storedTried.exactOptional(),
  alpha: z.number(),
});

export const storedTrialCounts = z.strictObject({
  pairs: storedCount,
  incumbentFailed: storedCount,
  challengerFailed: storedCount,
  compared: storedCount,
  agreed: z.number(),
  /** Natural logarithm of an e-value. */
  logWealth: z.number(),
});

export const storedTrial = z.strictObject({
  ...storedTrialWish.shape,
  by: z.string(),
  at: storedMs,
  /** Of the canary in the newest revision, by replicas that run. */
  seen: z.array(z.strictObject({ fence: storedFence, ...storedTrialCounts.shape })),
  /** By those that have ended since. */
  past: storedTrialCounts,
});

/** What took a canary or a shadow out, where nobody did. */
export const storedTrialEnd = z.strictObject({
  role: z.enum(["canary", "shadow"]),
  ...storedTried.shape,
  why: z.string(),
  at: storedMs,
});
