// A clock whose time of day only goes on: it starts at a given moment and advances as the monotonic clock does, whatever is
// done to the machine's clock meanwhile. While the machine sleeps it may stand still. Not for what people's calendars say.

import type { Clock } from "./clock.ts";

/** Its `now` is whole ms since the Unix epoch; from `startMs` on it never goes back and never leaps. */
export function steadyClock(clock: Clock, startMs: number): Clock {
  const beganMs = clock.monotonic();
  return {
    now: () => startMs + Math.floor(clock.monotonic() - beganMs),
    monotonic: () => clock.monotonic(),
    setTimer: (ms, run) => clock.setTimer(ms, run),
  };
}
