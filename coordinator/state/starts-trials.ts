/** Whether a sweep may be given slots. Not whether it has something to run, or the means. */
import type { Sweep } from "./state.ts";

/** PAUSE-1: not while somebody has paused it, nor once it is to end. */
export function startsTrials({ paused, state }: Sweep): boolean {
  return state === "running" && paused === undefined;
}
