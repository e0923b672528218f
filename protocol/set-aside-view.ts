/** Messages that a coordinator could not process, as people see them. Times are ms since the Unix epoch. */
import * as z from "zod";
import { answerList, answerText } from "./bound.ts";

export const setAsideMessage = z.object({
  kind: z.enum(["command", "report", "heartbeat", "registration"]),
  /** An agent, or a role and a name. */
  sender: answerText,
  /** Of the last one. */
  bytes: z.int().nonnegative(),
  /** What is wrong with it. */
  sentence: answerText,
  firstAt: z.number(),
  at: z.number(),
  /** How many there were of it. */
  count: z.int().positive(),
});
export type SetAsideMessage = z.infer<typeof setAsideMessage>;

/** Newest first. */
export const setAsideView = z.object({ messages: answerList(setAsideMessage) });
