/**
 * Whether silence means anything just now. After a server's absence, or while it hangs, what agents said is
 * still on its way: nobody is called silent, and nothing expires, until it has had its time to arrive.
 */
import type { Bus } from "../../protocol/bus/bus.ts";
import type { Clock } from "../../protocol/time/clock.ts";

/** So many of its own beacons may stay away before a leader takes the server for one that hangs. */
const beaconsMissedMax = 3;

export class ServerPulse {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #settleMs: number;
  readonly #echoMs: number;
  readonly #off: () => void;
  /** Since when messages pass without a break, monotonic ms. */
  #passingSince: number;
  #echoedAt: number;

  /** `settleMs`: how long reports may take to arrive; `beaconMs`: how often our own beacon should come back. */
  constructor(bus: Bus, clock: Clock, settleMs: number, beaconMs: number) {
    this.#bus = bus;
    this.#clock = clock;
    this.#settleMs = settleMs;
    this.#echoMs = beaconMs * beaconsMissedMax;
    this.#passingSince = clock.monotonic();
    this.#echoedAt = clock.monotonic();
    this.#off = bus.onStatus((event) => {
      if (event.kind === "connected") this.#passingSince = clock.monotonic();
    });
  }

  /** A beacon came back: a server that hangs keeps its connections, only this says that it passes things on. */
  echo(): void {
    if (!this.#echoes()) this.#passingSince = this.#clock.monotonic();
    this.#echoedAt = this.#clock.monotonic();
  }

  settled(): boolean {
    const passing = this.#bus.status() === "connected" && this.#echoes();
    return passing && this.#clock.monotonic() - this.#passingSince > this.#settleMs;
  }

  close(): void {
    this.#off();
  }

  #echoes(): boolean {
    return this.#clock.monotonic() - this.#echoedAt <= this.#echoMs;
  }
}
