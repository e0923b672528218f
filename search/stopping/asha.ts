/**
 * Asynchronous successive halving with real promotion (Li et al. 2020, arXiv 1810.05934, algorithm 2):
 * at each rung the best 1/eta go on, whenever that becomes true; the others wait with their checkpoint. The paper
 * looks for a promotion when a worker is free; here it follows the report that makes it due, and is queued.
 */
import { amongBest } from "./curve-rank.ts";
import type { OrderedPolicy, RungEntry, StoppingPolicy, Verdict } from "./stopping-policy.ts";

/**
 * Rungs min·eta^k, then max itself. After the first, one that is nearer to max than by the square root of eta is
 * left out: it would judge a trial twice at almost the same length.
 */
export function ashaRungs(min: number, max: number, eta: number): number[] {
  const rungs = min < max ? [min] : [];
  for (let resource = min * eta; resource * Math.sqrt(eta) < max; resource *= eta) rungs.push(resource);
  rungs.push(max);
  return rungs;
}

/** How many of a rung's trials go on: ⌊n/eta⌋, where n counts all who reached it. */
function placesOf(size: number, eta: number): number {
  return Math.floor(size / eta);
}

export function halvingVerdict(entries: readonly RungEntry[], eta: number, trial: RungEntry): Verdict {
  const goesOn = amongBest(entries, placesOf(entries.length, eta), [trial]).length > 0;
  return { kind: goesOn ? "continue" : "pause" };
}

/** Waiting trials that have come into the top of their rung, best first. */
export function halvingPromotable(entries: readonly RungEntry[], eta: number): readonly RungEntry[] {
  const waiting = entries.filter((entry) => entry.paused && !entry.promoted);
  return amongBest(entries, placesOf(entries.length, eta), waiting);
}

export function orderedHalving(
  eta: number,
  groups: number,
  groupOf: (number: number) => number,
): OrderedPolicy {
  return {
    groups,
    groupOf,
    comparedOf: () => 0,
    verdict: ({ order, trial }) => ({
      kind: order.isAmong(trial, placesOf(order.size, eta)) ? "continue" : "pause",
    }),
    placesOf: (size) => placesOf(size, eta),
  };
}

export function ashaPolicy(min: number, max: number, eta: number): StoppingPolicy {
  const rungs = ashaRungs(min, max, eta);
  return {
    rungs,
    rungsOf: () => rungs,
    verdict: ({ entries, trial }) => halvingVerdict(entries, eta, trial),
    promotable: (entries) => halvingPromotable(entries, eta),
    ordered: orderedHalving(eta, 1, () => 0),
  };
}
