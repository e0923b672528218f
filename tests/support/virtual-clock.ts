// Time under the test's control: nothing happens until the test moves it. Events run in order of (time, insertion);
// between two events every promise that can settle does. Not for code that waits on real I/O.

import type { Clock } from "../../protocol/time/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A start that looks like a date: 2026-01-01T00:00:00Z, in ms. */
const startMs = 1_767_225_600_000;

/** Resolves after every promise that can settle has: with the event loop's next turn. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The same at a quarter of the cost, for code that waits on nothing but promises and this clock: the event loop stands still. */
export function nextTick(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

export class VirtualClock implements Clock {
  readonly #settled: () => Promise<void>;
  #nowMs = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(settled: () => Promise<void> = nextTurn) {
    this.#settled = settled;
  }

  now(): number {
    return startMs + this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  setTimer(ms: number, run: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Moves time on by `ms`, running everything that falls due. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.#runUntil(untilMs);
    this.#nowMs = untilMs;
  }

  /** Runs until no timer is left, or `limitMs` have passed. Returns whether it came to rest. */
  async runUntilIdle(limitMs = 3_600_000): Promise<boolean> {
    await this.#runUntil(this.#nowMs + limitMs);
    return this.#timers.size === 0;
  }

  /** Moves time on until the promise settles; throws where it has not after `limitMs`. */
  async settle<T>(promise: Promise<T>, limitMs = 3_600_000): Promise<T> {
    let done = false;
    const watched = promise.finally(() => {
      done = true;
    });
    watched.catch(() => undefined);
    await this.#runUntil(this.#nowMs + limitMs, () => done);
    if (!done) throw new Error(`not settled after ${limitMs} ms of virtual time`);
    return watched;
  }

  async #runUntil(untilMs: number, stop: () => boolean = () => false): Promise<void> {
    for (;;) {
      await this.#settled();
      if (stop()) return;
      const next = this.#next();
      if (next === undefined || next.atMs > untilMs) return;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      const sooner =
        first === undefined ||
        timer.atMs < first.atMs ||
        (timer.atMs === first.atMs && timer.order < first.order);
      if (sooner) first = timer;
    }
    return first;
  }
}
