/**
 * When a running agent measures its machine again: where a measurement was made under load, once neither trials nor others use it.
 * It decides when and gives way; what is measured, and what the mesh hears of it, is its caller's.
 */
import type { Clock } from "../../protocol/time/clock.ts";
import { loadMax } from "./others-share.ts";

export interface MeasureAgainOptions {
  readonly clock: Clock;
  /** What is known was measured under load, or not in time. */
  readonly isWanted: () => boolean;
  /** No attempt is here, and the owner's policy lets trials run. */
  readonly isFree: () => boolean;
  /** What others had of the processors since the call before, 0 to 1; null where it is not known. */
  readonly othersShare: () => number | null;
  /** Ends early where `signal` says so. False: it was not measured, as by somebody else who measures just now. */
  readonly measure: (signal: AbortSignal) => Promise<boolean>;
}

/** Between two looks at what others use, ms. */
const lookEveryMs = 5_000;
/** The machine was left alone for so long before it is measured, ms. */
export const quietMs = 60_000;
/** While it measures: so soon it gives way, ms. */
export const giveWayMs = 100;
/** After a measurement that again was made under load: at first, and at most, ms. */
export const pauseMinMs = 10 * 60_000;
const pauseMaxMs = 24 * 60 * 60_000;

/** PROBE-15: what it gives ends it, and a measurement under way. */
export function measureAgain(options: MeasureAgainOptions): () => void {
  const again = new MeasureAgain(options);
  return () => again.close();
}

class MeasureAgain {
  readonly #options: MeasureAgainOptions;
  #quietSince: number;
  #notBefore = -Infinity;
  #pauseMs = pauseMinMs;
  #cancel: () => void = () => undefined;
  #running: AbortController | null = null;
  #closed = false;

  constructor(options: MeasureAgainOptions) {
    this.#options = options;
    this.#quietSince = options.clock.monotonic();
    this.#next();
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
    this.#running?.abort();
  }

  #next(): void {
    if (this.#closed) return;
    this.#cancel = this.#options.clock.setTimer(lookEveryMs, () => {
      void this.#look().finally(() => this.#next());
    });
  }

  async #look(): Promise<void> {
    const { clock, isFree, isWanted, othersShare } = this.#options;
    const share = othersShare();
    if (!isWanted() || !isFree() || share === null || share > loadMax) this.#quietSince = clock.monotonic();
    const now = clock.monotonic();
    if (now - this.#quietSince < quietMs || now < this.#notBefore) return;
    const measured = await this.#measure();
    this.#quietSince = clock.monotonic();
    // Its own work is not what others use.
    othersShare();
    if (!measured) return;
    this.#notBefore = clock.monotonic() + this.#pauseMs;
    this.#pauseMs = isWanted() ? Math.min(pauseMaxMs, 2 * this.#pauseMs) : pauseMinMs;
  }

  /** False where it gave way. */
  async #measure(): Promise<boolean> {
    const { clock, isFree, measure } = this.#options;
    const running = new AbortController();
    this.#running = running;
    const watch = (): (() => void) =>
      clock.setTimer(giveWayMs, () => {
        if (isFree()) cancel = watch();
        else running.abort();
      });
    let cancel = watch();
    try {
      return (await measure(running.signal)) && !running.signal.aborted;
    } finally {
      cancel();
      this.#running = null;
    }
  }
}
