// Time as an argument. Everything that waits or stamps takes a Clock, so that a whole mesh can run under
// one virtual clock. Not a scheduler and not a calendar: milliseconds only.

export interface Clock {
  /** Milliseconds since the Unix epoch. May jump; use it for stamps that people or other machines read. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. Use it to measure how long something took. */
  monotonic(): number;
  /** Runs `run` once, `ms` milliseconds from now (0 = as soon as possible, never at once). Returns its cancel. */
  setTimer(ms: number, run: () => void): () => void;
}

/** A promise that resolves after `ms` milliseconds of this clock. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(ms, resolve);
  });
}
