/**
 * How long a job has worked, in the process that does it: all its time from when it began, what it writes between epochs too. It
 * does not know when its process stood still; who suspends it takes that off again.
 */
import { steadyMs, type Stretch } from "./suspension.ts";

export class WorkClock {
  #since = steadyMs();
  #usedMs = 0;

  /** The time worked so far, and the stretch of it since the last call. */
  lap(): { readonly usedMs: number; readonly worked: Stretch } {
    const from = this.#since;
    const to = steadyMs();
    this.#since = to;
    this.#usedMs += to - from;
    return { usedMs: this.#usedMs, worked: { from, to } };
  }
}
