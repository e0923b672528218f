/**
 * What epochs cost, and what stopping early has saved of them. Pure; amounts are milli-tokens.
 *
 * SAVED-1: saved is what the remaining epochs would have cost at the rate of epochs after the first: the trial's own where it made
 * several, else what is left of its first without the start, within what others of the model needed. Where nobody measured that,
 * nothing is said to be saved.
 */
import type { Pace } from "../../protocol/report.ts";
import type { EpochCost, Epochs } from "../state/epoch-means.ts";

/** `usedMs`: what counts of the attempt's time; its agent's word of the parts is bounded by it. */
export function epochsOf(
  { epochMs, firstMs, startMs }: Pace,
  units: number,
  usedMs: number,
  rate: number,
): Epochs | null {
  if (units <= 0) return null;
  const first = Math.min(firstMs, usedMs);
  const tokens = (ms: number) => Math.round(ms * rate);
  const parts = { units, began: tokens(Math.min(startMs, first)), first: tokens(first) };
  if (epochMs === undefined || units < 2) return parts;
  // More than the time there was is no average of it.
  return { ...parts, later: tokens(Math.min(epochMs, (usedMs - first) / (units - 1))) };
}

/** SAVED-1: what an epoch after the first costs a trial; null where nobody knows. `attempts`: its own, the newest last. */
export function epochCost(
  attempts: readonly (Epochs | null)[],
  others: EpochCost | undefined,
): number | null {
  const own = attempts.findLast((epochs) => epochs?.later !== undefined)?.later;
  if (own !== undefined) return own;
  const first = attempts.findLast((epochs) => epochs !== null)?.first;
  if (others === undefined || first === undefined) return null;
  return Math.min(others.most, Math.max(others.least, first - others.start));
}
