/**
 * When does a trial go on? Policies see resources and scores, and return a verdict; they never touch an
 * executor and know nothing of time: trials are compared at equal resource, however fast their machines are.
 */
import type { Ranked, RungOrder } from "./rung-order.ts";
import type { StopReason } from "./stop-reason.ts";

/** `pause` may be followed by a promotion; `stop` is final. */
export type Verdict =
  | { readonly kind: "continue" }
  | { readonly kind: "pause" }
  | { readonly kind: "stop"; readonly reason: StopReason };

/** One per objective, oriented so that larger is better. */
export type Scores = readonly number[];

/** A trial that has reached a rung. */
export interface RungEntry {
  readonly trial: string;
  readonly number: number;
  /** At this rung. Where one of them is not finite, the trial never goes on. */
  readonly scores: Scores;
  /** True once the trial may train beyond this rung. */
  readonly promoted: boolean;
  /** True while it waits here with its checkpoint. */
  readonly paused: boolean;
}

/** The trial that has just reached a rung, among all that have reached it so far. */
export interface Standing {
  readonly resource: number;
  readonly trial: RungEntry;
  /** Every trial that has reached this resource, `trial` included. */
  readonly entries: readonly RungEntry[];
  /** Scores of one of the entries at each of its rungs up to this one, rising. */
  readonly curveOf: (entry: RungEntry) => readonly Scores[];
}

/** A trial that has just reached a rung, in the order of those that have, its own entry included. One objective. */
export interface OrderedStanding {
  readonly order: RungOrder;
  readonly trial: Ranked;
  /** Its scores at each of its rungs up to this one, rising. */
  readonly curve: readonly Scores[];
}

/** The same policy for one objective, without a look at every entry. */
export interface OrderedPolicy {
  /** Trials are compared within a group, of so many; each is a `RungOrder` of its own. */
  readonly groups: number;
  groupOf(number: number): number;
  /** What of a trial with a finite score the others are compared with. */
  comparedOf(curve: readonly Scores[]): number;
  verdict(standing: OrderedStanding): Verdict;
  /** How many of a group's best go on from here where they wait. */
  placesOf(size: number): number;
}

export interface StoppingPolicy {
  /** Every resource at which any trial is judged, rising; the last is the full length. */
  readonly rungs: readonly number[];
  /** Those at which the trial of this number is judged; the last is the full length. */
  rungsOf(number: number): readonly number[];
  /** Asked below the full length only, where there is nothing to decide. */
  verdict(standing: Standing): Verdict;
  /** Paused trials that deserve to go on from this rung, best first. */
  promotable(entries: readonly RungEntry[]): readonly RungEntry[];
  readonly ordered: OrderedPolicy;
}

/** The rung after `resource`, or null at full length. */
export function nextRung(rungs: readonly number[], resource: number): number | null {
  return rungs.find((rung) => rung > resource) ?? null;
}
