/**
 * What the coordinator's projection keeps of itself, of accounts with their statements, and of what work has cost. Entities hold
 * facts; how people see them is `view/`'s business. Changing one raises `projectionVersion`: an older store is then built anew.
 */
import * as z from "zod";
import { storedEpochs } from "./stored-epochs.ts";
import {
  storedCount,
  storedFence,
  storedId,
  storedMilliTokens,
  storedMs,
  storedRefill,
  storedRetention,
} from "./stored-value.ts";

export const metaEntity = z.strictObject({
  epoch: storedCount,
  leader: z.string(),
  /** Time of the last batch, ms since the Unix epoch; never goes back. */
  at: storedMs,
  nextSweep: storedCount,
  nextFence: storedFence,
  /** Virtual time of the fair queue: the start tag of the last requester served. */
  virtualTime: z.number(),
  nextFingerprint: storedCount,
  /** Number of the next place in a queue. */
  nextOrder: storedCount,
  /** Number of the next mark; absent before the first. */
  nextMark: storedCount.exactOptional(),
  /** Number of the next archive; absent before the first. */
  nextArchive: storedCount.exactOptional(),
  /** How long bytes are kept; absent where nobody has set it. */
  retention: storedRetention.exactOptional(),
  /** Who asked for a look at what could go, that nobody has taken yet. */
  collection: z
    .strictObject({ by: z.string(), at: storedMs, graceMs: storedMs.exactOptional() })
    .exactOptional(),
  /** When that was looked at last, and how much was marked then. */
  looked: z.strictObject({ at: storedMs, artifacts: storedCount, bytes: storedCount }).exactOptional(),
});

export const accountEntity = z.strictObject({
  requester: storedId,
  weight: z.number(),
  granted: storedMilliTokens,
  posted: storedMilliTokens,
  pending: storedMilliTokens,
  /** Finish tag of this requester's last service in the fair queue, and when it was set. */
  finishTag: z.number(),
  taggedAt: storedMs,
  /** Virtual time among this requester's own sweeps. */
  sweepTime: z.number(),
  refill: storedRefill.nullable(),
  /** Up to when the refill has been paid out, ms. */
  refilledAt: storedMs,
  /** The most any one sweep of this account may spend; null: no such limit. */
  sweepCap: storedMilliTokens.nullable(),
  lines: storedCount,
});

/** One line of an account's statement. */
export const ledgerEntity = z.strictObject({
  at: storedMs,
  kind: z.enum(["grant", "refill", "reserve", "extend", "post", "release"]),
  amount: storedMilliTokens,
  trial: storedId.nullable(),
  fence: storedFence.nullable(),
  agent: storedId.nullable(),
  /** What somebody said to it; "" where nobody did. */
  note: z.string(),
  /** Of a reservation: for how long, and at how many tokens per second. */
  lease: z.strictObject({ horizonMs: storedMs, rate: z.number() }).nullable(),
  /** The account after this line. */
  granted: storedMilliTokens,
  posted: storedMilliTokens,
  pending: storedMilliTokens,
});

/** Natural logarithms of an amount: their mean, and the sum of their squared distances from it. */
export const logMeans = { count: storedCount, mean: z.number(), squares: z.number() };

/** What one unit of resource on one row of data has cost, in milli-tokens, over all attempts of a kind. */
export const costEntity = z.strictObject({ kind: z.string(), ...logMeans });

/** One attempt of past work: what it was, and how its cost parted into starting and training. */
const workSample = z.strictObject({
  /** Rows of its training data; 1 where it read none. */
  rows: storedCount,
  /** What it ran: a program of the same call may have been changed since. */
  code: z.string(),
  /** Processor and backend: prices of unlike ones differ by more than their probes say. */
  hardware: z.string(),
  /** The first of its agent in that sweep: what is brought in and compiled once is in its start. */
  cold: z.boolean(),
  cost: storedMilliTokens,
  epochs: storedEpochs,
});

/** The newest attempts of one kind of work, the newest last. */
export const workEntity = z.strictObject({ work: z.string(), samples: z.array(workSample) });

/** A command that was accepted: when, ms, and what was answered. */
export const commandEntity = z.strictObject({ at: storedMs, value: z.unknown() });
