/** What is said of a sweep that somebody has paused. Whether it is, and what that does, is the core's. */
import { plural } from "../../protocol/plural.ts";
import type { Sweep } from "../state/state.ts";

/** Null where it is not paused: "paused by ada: a better idea; 2 trials go on to their next rung". */
export function pausedText({ counts, paused }: Sweep): string | null {
  if (paused === undefined) return null;
  const { by, now, why } = paused;
  const who = why === "" ? `paused by ${by}` : `paused by ${by}: ${why}`;
  const { running } = counts;
  if (running === 0) return who;
  const [goes, leaves, their] = running === 1 ? ["goes", "leaves", "its"] : ["go", "leave", "their"];
  const how = now ? `${leaves} at ${their} next checkpoint` : `${goes} on to ${their} next rung`;
  return `${who}; ${plural(running, "trial")} ${how}`;
}

/** What lets it go on. */
export function resumeHint(sweep: string): string {
  return `\`trialmesh sweep resume ${sweep}\` lets it go on`;
}
