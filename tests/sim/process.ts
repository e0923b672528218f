// One simulated process: its own clock over the shared virtual time. It is off by some seconds and goes a little fast or slow; it
// can be set to another time of day, stand still with its process or its machine, and ends with a crash.
import type { Clock } from "../../protocol/time/clock.ts";

/** Of a clock: how far off it is when it begins, ms, and how many of its ms pass in one of the world's. */
export interface ClockFault {
  readonly skewMs: number;
  readonly pace: number;
}

/** What a monotonic clock shows when its process begins: not 0, which some code could take for the beginning. */
const monotonicStartMs = 1_000_000;

interface Timer {
  /** On the process's own monotonic clock. */
  readonly dueMs: number;
  readonly run: () => void;
  isCancelled: boolean;
  /** Takes it out of the world's. */
  off: () => void;
}

export class ProcessClock implements Clock {
  readonly #base: Clock;
  readonly #fault: ClockFault;
  #state: "running" | "paused" | "asleep" | "dead" = "running";
  /** Fell due while the process stood still. */
  #held: Timer[] = [];
  /** How often the time of day was set, in sum, ms. */
  #steppedMs = 0;
  /** How long the monotonic clock stood still, in the world's ms. */
  #sleptMs = 0;
  #asleepSince = 0;

  constructor(base: Clock, fault: ClockFault) {
    this.#base = base;
    this.#fault = fault;
  }

  now(): number {
    return this.#base.now() + this.#fault.skewMs + this.#steppedMs;
  }

  monotonic(): number {
    const worldMs = this.#state === "asleep" ? this.#asleepSince : this.#base.monotonic();
    return monotonicStartMs + this.#fault.skewMs + (worldMs - this.#sleptMs) * this.#fault.pace;
  }

  setTimer(ms: number, run: () => void): () => void {
    const timer: Timer = {
      dueMs: this.monotonic() + Math.max(0, ms),
      run,
      isCancelled: false,
      off: () => {},
    };
    this.#await(timer);
    return () => {
      timer.isCancelled = true;
      timer.off();
    };
  }

  /** Somebody, or a time server, sets the time of day. */
  step(byMs: number): void {
    this.#steppedMs += byMs;
  }

  /** As by SIGSTOP: the process stands still, its clocks go on. */
  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  /** The whole machine sleeps: the monotonic clock stands still too, as on Linux, and the time of day goes on. */
  sleep(): void {
    if (this.#state !== "running") return;
    this.#asleepSince = this.#base.monotonic();
    this.#state = "asleep";
  }

  resume(): void {
    if (this.#state !== "paused" && this.#state !== "asleep") return;
    if (this.#state === "asleep") this.#sleptMs += this.#base.monotonic() - this.#asleepSince;
    this.#state = "running";
    for (const timer of this.#held.splice(0)) this.#await(timer);
  }

  /** kill -9: no timer of this process ever fires again. */
  kill(): void {
    this.#state = "dead";
    this.#held = [];
  }

  get alive(): boolean {
    return this.#state !== "dead";
  }

  get standsStill(): boolean {
    return this.#state === "paused" || this.#state === "asleep";
  }

  #await(timer: Timer): void {
    const leftMs = (timer.dueMs - this.monotonic()) / this.#fault.pace;
    timer.off = this.#base.setTimer(Math.max(0, leftMs), () => {
      if (timer.isCancelled || this.#state === "dead") return;
      if (this.#state !== "running") this.#held.push(timer);
      // A rounding of the last bit is no ms that is left.
      else if (timer.dueMs - this.monotonic() > 1e-6) this.#await(timer);
      else timer.run();
    });
  }
}
