/**
 * A trial that has stopped getting better has nothing more to show: it ends after so many judged epochs without a better
 * score. It looks at no other trial. With several objectives a better score in any of them counts.
 */
import { intervalRungs } from "./interval.ts";
import { alone } from "./full-length.ts";
import type { Scores, StoppingPolicy, Verdict } from "./stopping-policy.ts";

export interface PatienceRule {
  readonly patience: number;
  readonly minDelta: number;
  readonly interval: number;
  readonly grace: number;
  readonly max: number;
}

export function patiencePolicy(rule: PatienceRule): StoppingPolicy {
  const rungs = intervalRungs(rule.interval, rule.grace, rule.max);
  const verdictOn = (curve: readonly Scores[]): Verdict => {
    if (rungsWithoutGain(curve, rule.minDelta) < rule.patience) return { kind: "continue" };
    const { minDelta, patience } = rule;
    return { kind: "stop", reason: { rule: "patience", rungs: patience, minDelta } };
  };
  return {
    rungs,
    rungsOf: () => rungs,
    verdict: ({ curveOf, trial }) => verdictOn(curveOf(trial)),
    promotable: () => [],
    ordered: alone(({ curve }) => verdictOn(curve)),
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
