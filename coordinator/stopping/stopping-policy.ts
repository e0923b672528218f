/**
 * When does a trial go on? Policies see resources and values, and return a verdict; they never
 * touch an executor. Which policy a sweep names is `choose-policy.ts`'s business.
 */

export type Verdict = "complete" | "continue" | "pause";

export interface RungEntry {
  readonly trial: string;
  readonly number: number;
  /** Oriented so that larger is better. */
  readonly score: number;
  /** True once the trial may train beyond this rung. */
  readonly promoted: boolean;
  /** True while it waits here with its checkpoint. */
  readonly paused: boolean;
}

export interface StoppingPolicy {
  /** Resources at which a trial is judged, rising; the last is the full length. */
  readonly rungs: readonly number[];
  /** The verdict on the trial that has just reached `rungs[index]`, which is among the entries. */
  verdict(index: number, entries: readonly RungEntry[], trial: string): Verdict;
  /** A paused trial that deserves to go on from `rungs[index]`, or null. */
  promotable(index: number, entries: readonly RungEntry[]): string | null;
}

/** Resource of the rung after `resource`, or null at full length. */
export function nextRung(policy: StoppingPolicy, resource: number): number | null {
  return policy.rungs.find((rung) => rung > resource) ?? null;
}
