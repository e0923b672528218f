/**
 * How many bytes a second leave this machine for others, in all. Whoever comes first goes first, and nobody holds two places,
 * so several share it evenly. Not here: how many are served at once (`upload-slot.ts`).
 *
 * UPLOAD-1: over any span no more leaves than the rate gives, and one burst.
 */
import { bytesPerKiB } from "../../protocol/byte-unit.ts";
import { sleep, type Clock } from "../../protocol/time/clock.ts";

/** What may leave at once after a pause is what the rate gives in this time, ms. */
const burstMs = 50;
/** So that other messages do not wait long behind a chunk. */
const pieceBytes = 16 * bytesPerKiB;

export class UploadRate {
  readonly pieceBytes = pieceBytes;
  readonly #clock: Clock;
  #bytesPerSecond: number;
  /** When all that was taken so far has left at this rate, ms. */
  #paidUntil = -Infinity;

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  change(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Resolves when so many bytes may leave. */
  async take(bytes: number): Promise<void> {
    const now = this.#clock.monotonic();
    this.#paidUntil = Math.max(this.#paidUntil, now - burstMs) + (bytes / this.#bytesPerSecond) * 1_000;
    // A timer of less than a few milliseconds costs more than it holds back.
    if (this.#paidUntil - now > 2) await sleep(this.#clock, this.#paidUntil - now);
  }
}
