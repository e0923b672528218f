/** Why a trial or a sweep does not get on: machines, money, and who is ahead. Amounts are milli-tokens, times ms since the Unix epoch. */
import * as z from "zod";
import { sweepStateSchema, trialStateSchema } from "./life.ts";

const count = z.int().nonnegative();

/** When a trial will probably start, ms; null where that hangs on something nobody can foresee, which `because` names. */
const startView = z.object({ at: z.number().nullable(), because: z.string() });
export type StartView = z.infer<typeof startView>;

const agentReasons = z.array(
  z.object({ agent: z.string(), fits: z.boolean(), reasons: z.array(z.string()) }),
);
/** `limit`: what is nearest to its end, the account or a cap on the sweep. */
const budgetNeed = z.object({
  available: count,
  needed: count,
  short: count,
  limit: z.enum(["account", "cap"]),
});
/** Requesters served before this one in the fair order, nearest turn first. */
const aheadView = z.array(z.object({ requester: z.string(), startTag: z.number(), queued: count }));

export const whyView = z.object({
  trial: z.string(),
  state: trialStateSchema,
  /** The answer in one sentence. */
  sentence: z.string(),
  agents: agentReasons,
  budget: budgetNeed,
  ahead: aheadView,
  /** Sweeps of the same requester that are served before this trial's. */
  sweepsAhead: z.array(z.object({ sweep: z.string(), priority: z.number(), queued: count })),
  aheadInSweep: count,
  start: startView,
});
export type WhyView = z.infer<typeof whyView>;

export const sweepWhyView = z.object({
  sweep: z.string(),
  state: sweepStateSchema,
  sentence: z.string(),
  /** Each model with what waits, and why the first of it does. */
  models: z.array(
    z.object({
      model: z.string(),
      queued: count,
      running: count,
      sentence: z.string(),
      agents: agentReasons,
    }),
  ),
  budget: budgetNeed,
  ahead: aheadView,
  sweepsAhead: z.array(z.object({ sweep: z.string(), priority: z.number(), queued: count })),
  start: startView,
});
export type SweepWhyView = z.infer<typeof sweepWhyView>;
