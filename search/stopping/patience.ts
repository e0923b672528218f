/**
 * A trial that has stopped getting better has nothing more to show: it ends after so many judged epochs without a better
 * score. It looks at no other trial. With several objectives a better score in any of them counts.
 */
import { intervalRungs } from "./interval.ts";
import type { Scores, StoppingPolicy } from "./stopping-policy.ts";

export interface PatienceRule {
  readonly patience: number;
  readonly minDelta: number;
  readonly interval: number;
  readonly grace: number;
  readonly max: number;
}

export function patiencePolicy(rule: PatienceRule): StoppingPolicy {
  const rungs = intervalRungs(rule.interval, rule.grace, rule.max);
  return {
    rungs,
    rungsOf: () => rungs,
    verdict({ trial, curveOf }) {
      if (rungsWithoutGain(curveOf(trial), rule.minDelta) < rule.patience) return { kind: "continue" };
      return {
        kind: "stop",
        reason: { rule: "patience", rungs: rule.patience, minDelta: rule.minDelta },
      };
    },
    promotable: () => [],
  };
}

/** Rungs since the last one that beat the best before it by more than `minDelta`; the first counts as a gain. */
function rungsWithoutGain(curve: readonly Scores[], minDelta: number): number {
  const best: number[] = [];
  let without = -1;
  for (const scores of curve) {
    let gained = false;
    scores.forEach((score, objective) => {
      const before = best[objective];
      if (!Number.isFinite(score) || (before !== undefined && score <= before + minDelta)) return;
      best[objective] = score;
      gained = true;
    });
    without = gained ? 0 : without + 1;
  }
  return without;
}
