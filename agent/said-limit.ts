/**
 * Which points and log lines an agent sends: no more than its mesh takes from one agent, and of one attempt half of that. What is left out is
 * missing from curves and logs alone; what is decided rests on reports. Not here: what a program's own output is thinned by (`runner/log-gate.ts`).
 *
 * QUOTA-6: no honest agent meets the bound of the server (`mesh/traffic-quota.ts`).
 */
import { plural } from "../protocol/plural.ts";
import { RateLimit } from "../protocol/rate-limit.ts";
import { saidOfAttemptRate, saidRate } from "../protocol/said-rate.ts";
import type { Clock } from "../protocol/time/clock.ts";

/** Between two lines about it, ms. */
const tellEveryMs = 60_000;
const whole = "agent";

export class SaidLimit {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #log: (line: string) => void;
  readonly #ofAgent = new RateLimit(saidRate);
  readonly #ofAttempts = new RateLimit(saidOfAttemptRate);
  #toldAt = -Infinity;
  #leftOut = 0;

  constructor(clock: Pick<Clock, "monotonic">, log: (line: string) => void) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Whether a message of the attempt with this fence may leave now. */
  allows(fence: number): boolean {
    const now = this.#clock.monotonic();
    if (this.#ofAttempts.allows(String(fence), now) && this.#ofAgent.allows(whole, now)) return true;
    this.#leftOut++;
    if (now - this.#toldAt >= tellEveryMs) this.#tell(now);
    return false;
  }

  #tell(now: number): void {
    this.#toldAt = now;
    const { perSecond } = saidOfAttemptRate;
    this.#log(
      `left out of curves and logs: ${plural(this.#leftOut, "message")}; an agent sends ${saidRate.perSecond} of them a second, ${perSecond} of one attempt`,
    );
    this.#leftOut = 0;
  }
}
