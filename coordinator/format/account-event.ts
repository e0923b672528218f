/** What happens to leaders, commands and accounts, as it stands in the journal since format 2. */
import * as z from "zod";
import { storedId, storedMilliTokens, storedMs, storedRefill } from "./stored-value.ts";

const requester = storedId;

export const accountEvents = [
  z.strictObject({ kind: z.literal("LeaderElected"), epoch: z.int(), leader: z.string() }),
  z.strictObject({
    kind: z.literal("CommandAccepted"),
    key: z.string(),
    who: z.string(),
    name: z.string(),
    value: z.unknown(),
    /** The command whose answer is kept no longer; left out while there is room for all. */
    forgets: z.string().exactOptional(),
  }),

  z.strictObject({ kind: z.literal("AccountOpened"), requester, weight: z.number() }),
  z.strictObject({
    kind: z.literal("AccountSet"),
    requester,
    weight: z.number(),
    refill: storedRefill.nullable(),
    sweepCap: storedMilliTokens.nullable(),
    /** Up to when its refill counts as paid out, ms. */
    refilledAt: storedMs,
  }),
  /** Periods of the refill that have passed; `amount` is 0 where the bucket was full. */
  z.strictObject({
    kind: z.literal("TokensRefilled"),
    requester,
    amount: storedMilliTokens,
    /** Up to when it is now paid out, ms. */
    until: storedMs,
  }),
  z.strictObject({
    kind: z.literal("TokensGranted"),
    requester,
    amount: storedMilliTokens,
    by: z.string(),
    note: z.string(),
  }),
] as const;
