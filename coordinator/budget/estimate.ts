/**
 * What a sweep will cost, before it starts: how far its trials will train times what that has cost so far. Pure. The range
 * holds nine of ten outcomes if past and future are alike; where there is no past, the probe's word stands in with a wide one.
 */
import type { CostHistory } from "../state/state.ts";

/** Half of the middle nine tenths of a normal distribution, in standard deviations. */
const nineTenths = 1.645;
/** Spread between one sweep's costs and another's of the same kind that no count of attempts averages out (logarithm). */
const betweenSweeps = 0.2;
/** Spread where only the probe speaks: a factor of eight either way (logarithm). */
const probeOnly = Math.log(8) / nineTenths;

/** The cost of a unit of resource on one row: its mean in milli-tokens, and its uncertainty as a logarithm. */
export interface UnitCost {
  readonly milliTokens: number;
  readonly logError: number;
  /** Attempts it rests on; 0: the probe. */
  readonly attempts: number;
}

export function costFromHistory({ count, mean, squares }: CostHistory, trials: number): UnitCost {
  const variance = count > 1 ? squares / (count - 1) : 1;
  // The mean of a log-normal distribution (Aitchison and Brown 1957).
  const milliTokens = Math.exp(mean + variance / 2);
  const logError = Math.sqrt(variance / count + variance / Math.max(1, trials) + betweenSweeps ** 2);
  return { milliTokens, logError, attempts: count };
}

/** A token is a second of the reference machine, so the probe's rates say what an example costs. */
export function costFromProbe(tokensPerSecond: number, examplesPerSecond: number): UnitCost | null {
  if (examplesPerSecond <= 0) return null;
  return {
    milliTokens: (1000 * tokensPerSecond) / examplesPerSecond,
    logError: probeOnly,
    attempts: 0,
  };
}

/** Resource all trials together will use: the least, what is likely, and the most. */
export interface Effort {
  readonly least: number;
  readonly likely: number;
  readonly most: number;
}

/**
 * `rungs`: where trials are judged, the last is full length. `share`: of the trials at a rung, how many go on to the next; 1 without
 * early stopping. One trial at least goes to the end.
 */
export function effortOf(trials: number, rungs: readonly number[], share: number): Effort {
  const full = rungs.at(-1) ?? 1;
  let likely = 0;
  let before = 0;
  let going = trials;
  for (const rung of rungs) {
    likely += Math.max(1, going) * (rung - before);
    before = rung;
    going *= share;
  }
  const least = trials * (share < 1 ? (rungs[0] ?? full) : full);
  return { least: Math.min(least, likely), likely, most: trials * full };
}

export interface Range {
  readonly low: number;
  readonly expected: number;
  readonly high: number;
}

export function rangeOf(cost: UnitCost, effort: Effort, rows: number): Range {
  const factor = Math.exp(nineTenths * cost.logError);
  const expected = cost.milliTokens * rows * effort.likely;
  const most = cost.milliTokens * rows * effort.most;
  return {
    low: Math.floor(expected / factor),
    expected: Math.round(expected),
    high: Math.ceil(Math.max(expected, Math.min(most, expected * 2)) * factor),
  };
}
