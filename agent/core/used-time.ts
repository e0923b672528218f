/**
 * METER-5: the time an attempt has used grows with this machine's monotonic clock as long as its job runs, whether or not the job
 * says anything, and never falls. What the runner measured closer by counts where it is more.
 */
import type { Held } from "./agent-state.ts";

/** Ms up to `now`. */
export function usedMs({ usedMs, usedSince }: Held, now: number): number {
  return usedSince === null ? usedMs : usedMs + Math.max(0, now - usedSince);
}

/** True while its job runs: not before it has begun, not while it stands still, not once it has ended. */
export function isAtWork({ usedSince }: Held): boolean {
  return usedSince !== null;
}

/** The runner's word of a job that goes on. */
export function hearUsed(held: Held, saidMs: number, now: number): void {
  held.usedMs = Math.max(usedMs(held, now), saidMs);
  held.usedSince = held.suspended || held.exited ? null : now;
}

/** The runner's word of a job that has ended. What it used, which is not less than what was said of it before, ms. */
export function endUsed(held: Held, saidMs: number, now: number): number {
  hearUsed(held, saidMs, now);
  held.usedSince = null;
  return held.usedMs;
}

export function standUsed(held: Held, now: number): void {
  held.usedMs = usedMs(held, now);
  held.usedSince = null;
}
