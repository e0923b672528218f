/**
 * Says which trials start, but no more of them than a person can read: trials of milliseconds would otherwise
 * spend their time on telling of themselves. What was left out is counted with the next line.
 */
import type { Clock } from "../protocol/time/clock.ts";

const linesPerSecondMax = 20;
const spanMs = 1_000;

/** `log`, for at most so many lines a second. */
export function startNote(clock: Clock, log: (line: string) => void): (line: string) => void {
  let since = -Infinity;
  let said = 0;
  let leftOut = 0;
  return (line) => {
    const now = clock.monotonic();
    if (now - since >= spanMs) {
      since = now;
      said = 0;
    }
    if (said++ >= linesPerSecondMax) {
      leftOut++;
      return;
    }
    log(leftOut === 0 ? line : `${line} (and ${leftOut} more trials before it)`);
    leftOut = 0;
  };
}
