/**
 * How many bytes a second leave this machine for others, in all. Whoever comes first goes first, and nobody holds two places,
 * so several share it evenly. Not here: how many are served at once (`upload-slot.ts`).
 *
 * UPLOAD-1: over any span no more leaves than the rate gives, and one burst; another rate is that of those who wait too.
 */
import { bytesPerKiB } from "../../protocol/byte-unit.ts";
import type { Clock } from "../../protocol/time/clock.ts";

/** What may leave at once after a pause is what the rate gives in this time, ms. */
const burstMs = 50;
/** A timer takes no more. */
const waitMaxMs = 60_000;
/** So that other messages do not wait long behind a chunk. */
const pieceBytes = 16 * bytesPerKiB;

export class UploadRate {
  readonly pieceBytes = pieceBytes;
  readonly #clock: Clock;
  #bytesPerSecond: number;
  /** Bytes that were taken, and how many of them had left when that was counted last, at `#at` ms. */
  #taken = 0;
  #left = 0;
  #at: number;
  /** Of those who wait: the rate is another. */
  readonly #wake = new Set<() => void>();

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#at = clock.monotonic();
  }

  /** Also for those who wait. Infinite: none waits any more. */
  change(bytesPerSecond: number): void {
    this.#count();
    this.#bytesPerSecond = bytesPerSecond;
    for (const wake of [...this.#wake]) wake();
  }

  /** Resolves when so many bytes may leave. */
  async take(bytes: number): Promise<void> {
    this.#count();
    this.#taken += bytes;
    for (const mine = this.#taken; ; this.#count()) {
      const waitMs = ((mine - this.#left) / this.#bytesPerSecond) * 1_000;
      // A timer of less than a few milliseconds costs more than it holds back.
      if (!(waitMs > 2)) return;
      await this.#wait(waitMs);
    }
  }

  /** What has left by now; after a pause a burst more than was taken. */
  #count(): void {
    const now = this.#clock.monotonic();
    if (now <= this.#at) return;
    const possible = this.#left + (this.#bytesPerSecond * (now - this.#at)) / 1_000;
    this.#left = Math.min(possible, this.#taken + (this.#bytesPerSecond * burstMs) / 1_000);
    this.#at = now;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#wake.delete(done);
        resolve();
      };
      const cancel = this.#clock.setTimer(Math.min(ms, waitMaxMs), done);
      this.#wake.add(done);
    });
  }
}
