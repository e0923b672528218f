// One simulated process: its own clock (skewed, pausable, dead after a crash) over the shared virtual time.
import type { Clock } from "../../protocol/time/clock.ts";

export class ProcessClock implements Clock {
  readonly #base: Clock;
  readonly #skewMs: number;
  #state: "running" | "paused" | "dead" = "running";
  #held: (() => void)[] = [];

  constructor(base: Clock, skewMs: number) {
    this.#base = base;
    this.#skewMs = skewMs;
  }

  now(): number {
    return this.#base.now() + this.#skewMs;
  }

  monotonic(): number {
    return this.#base.monotonic() + 1_000_000 + this.#skewMs;
  }

  setTimer(ms: number, run: () => void): () => void {
    return this.#base.setTimer(ms, () => {
      if (this.#state === "running") run();
      else if (this.#state === "paused") this.#held.push(run);
    });
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    for (const run of this.#held.splice(0)) this.setTimer(0, run);
  }

  /** kill -9: no timer of this process ever fires again. */
  kill(): void {
    this.#state = "dead";
    this.#held = [];
  }

  get alive(): boolean {
    return this.#state !== "dead";
  }
}
