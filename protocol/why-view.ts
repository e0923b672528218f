/** Why a trial or a sweep does not get on: machines, money, and who is ahead. Amounts are milli-tokens, times ms since the Unix epoch. */
import * as z from "zod";
import { answerList, answerText } from "./bound.ts";
import { sweepStateSchema, trialStateSchema } from "./life.ts";

const count = z.int().nonnegative();

/** When a trial will probably start, ms; null where that hangs on something nobody can foresee, which `because` names. */
const startView = z.object({ at: z.number().nullable(), because: answerText });
export type StartView = z.infer<typeof startView>;

const agentReasons = answerList(
  z.object({ agent: answerText, fits: z.boolean(), reasons: answerList(answerText) }),
);
/** `limit`: what is nearest to its end, the account or a cap on the sweep. */
const budgetNeed = z.object({
  available: count,
  needed: count,
  short: count,
  limit: z.enum(["account", "cap"]),
});
/** Requesters served before this one in the fair order, nearest turn first. */
const aheadView = answerList(z.object({ requester: answerText, startTag: z.number(), queued: count }));

export const whyView = z.object({
  trial: answerText,
  state: trialStateSchema,
  /** The answer in one sentence. */
  sentence: answerText,
  agents: agentReasons,
  budget: budgetNeed,
  ahead: aheadView,
  /** Sweeps of the same requester that are served before this trial's. */
  sweepsAhead: answerList(z.object({ sweep: answerText, priority: z.number(), queued: count })),
  aheadInSweep: count,
  start: startView,
});
export type WhyView = z.infer<typeof whyView>;

export const sweepWhyView = z.object({
  sweep: answerText,
  state: sweepStateSchema,
  sentence: answerText,
  /** Each model with what waits, and why the first of it does. */
  models: answerList(
    z.object({
      model: answerText,
      queued: count,
      running: count,
      sentence: answerText,
      agents: agentReasons,
    }),
  ),
  budget: budgetNeed,
  ahead: aheadView,
  sweepsAhead: answerList(z.object({ sweep: answerText, priority: z.number(), queued: count })),
  start: startView,
});
export type SweepWhyView = z.infer<typeof sweepWhyView>;
