/** Which of very many trials a page draws: a browser has its limits, and the best ones matter most. */
import type { InsightTrial } from "../../coordinator/insight/sweep-insight.ts";

export const drawnMost = 2_000;

/** All, or the best half of `drawnMost` and as many spread evenly over the others; in the order given. */
export function drawnTrials(
  trials: readonly InsightTrial[],
  goal: "minimize" | "maximize",
): readonly InsightTrial[] {
  if (trials.length <= drawnMost) return trials;
  const sign = goal === "minimize" ? 1 : -1;
  const ranked = trials.toSorted((a, b) => sign * (a.value - b.value));
  const best = drawnMost / 2;
  const others = ranked.slice(best);
  const kept = new Set(ranked.slice(0, best));
  for (let at = 0; at < best; at++) {
    const one = others[Math.floor((at * others.length) / best)];
    if (one !== undefined) kept.add(one);
  }
  return trials.filter((trial) => kept.has(trial));
}
