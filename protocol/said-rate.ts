/**
 * How many points of curves and log lines one agent may say: what is beyond it leaves out itself, and the server's bound of all messages
 * (`mesh/traffic-quota.ts`) lies above, so that no honest agent meets it. More would be of no use: the streams keep the newest 32,000 points
 * and 9,000 lines of one agent.
 */
import type { Rate } from "./rate-limit.ts";

export const saidRate = { perSecond: 10_000, atOnce: 20_000 } as const satisfies Rate;
/** Of one attempt: one that says too much leaves room for the others of its agent. */
export const saidOfAttemptRate = { perSecond: 5_000, atOnce: 10_000 } as const satisfies Rate;
