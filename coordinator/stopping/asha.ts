/**
 * Asynchronous successive halving with real promotion (Li et al. 2020, arXiv 1810.05934, algorithm 2):
 * at each rung the best 1/eta go on, whenever that becomes true; the others wait with their checkpoint.
 */
import type { RungEntry, StoppingPolicy } from "./stopping-policy.ts";

/** Rungs min·eta^k below max, then max itself. */
export function ashaRungs(min: number, max: number, eta: number): number[] {
  const rungs: number[] = [];
  for (let resource = min; resource < max; resource *= eta) rungs.push(resource);
  rungs.push(max);
  return rungs;
}

/** The best ⌊n/eta⌋ of a rung; equal scores go to the earlier trial, so that a replay agrees. */
export function topOf(entries: readonly RungEntry[], eta: number): readonly RungEntry[] {
  const count = Math.floor(entries.length / eta);
  if (count === 0) return [];
  return entries.toSorted((a, b) => b.score - a.score || a.number - b.number).slice(0, count);
}

export function ashaPolicy(min: number, max: number, eta: number): StoppingPolicy {
  const rungs = ashaRungs(min, max, eta);
  return {
    rungs,
    verdict(index, entries, trial) {
      if (index === rungs.length - 1) return "complete";
      return topOf(entries, eta).some((entry) => entry.trial === trial) ? "continue" : "pause";
    },
    promotable(index, entries) {
      if (index === rungs.length - 1) return null;
      const next = topOf(entries, eta).find((entry) => !entry.promoted && entry.paused);
      return next?.trial ?? null;
    },
  };
}
