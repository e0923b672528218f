/**
 * Since when this machine's two clocks have run alike. Where the wall's clock moves on and the monotonic one does not, the
 * machine slept; otherwise somebody set the wall's. It says only that something happened, not which of the two.
 */
import type { Clock } from "../../protocol/time/clock.ts";

/** Two clocks that are only steered apart do not differ by more between two looks, ms. */
const apartMaxMs = 500;

export class ClockWatch {
  readonly #clock: Clock;
  #apart: number;
  #steadySince: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#apart = clock.now() - clock.monotonic();
    this.#steadySince = clock.monotonic();
  }

  /** Monotonic ms. To be asked often: what is steered apart slowly adds up between two looks. */
  look(): number {
    const apart = this.#clock.now() - this.#clock.monotonic();
    if (Math.abs(apart - this.#apart) > apartMaxMs) this.#steadySince = this.#clock.monotonic();
    this.#apart = apart;
    return this.#steadySince;
  }
}
