/**
 * Two rules that end a trial which has fallen behind. `median` is Vizier's (Golovin et al. 2017, section 3.2.2): its
 * best score so far is worse than the median of the others' running averages up to the same resource; a true
 * median. `percentile` compares with the others' scores at that resource, as Optuna's pruner of that name does.
 * The others are all that have come so far, whether they run, wait, have ended there or gone on.
 */
import { intervalRungs } from "./interval.ts";
import { meanOf } from "../../numeric/moment.ts";
import { quantile } from "../../numeric/quantile.ts";
import { bestFirst, outranks } from "./curve-rank.ts";
import { alone } from "./full-length.ts";
import type {
  OrderedStanding,
  RungEntry,
  Scores,
  Standing,
  StoppingPolicy,
  Verdict,
} from "./stopping-policy.ts";

export interface BehindRule {
  readonly rule: "median" | "percentile";
  /** Share of trials that goes on, in percent; 50 for the median. */
  readonly percentile: number;
  /** Other trials that must have reached the resource. */
  readonly minTrials: number;
  readonly interval: number;
  readonly grace: number;
  readonly max: number;
}

const goOn: Verdict = { kind: "continue" };

export function behindPolicy(rule: BehindRule): StoppingPolicy {
  const rungs = intervalRungs(rule.interval, rule.grace, rule.max);
  return {
    rungs,
    rungsOf: () => rungs,
    verdict(standing) {
      const others = standing.entries.filter(
        ({ trial, scores }) => trial !== standing.trial.trial && scores.every(Number.isFinite),
      );
      if (others.length < rule.minTrials) return goOn;
      return standing.trial.scores.length > 1
        ? byDominance(rule, standing, others)
        : byScore(rule, standing, others);
    },
    promotable: () => [],
    ordered: {
      ...alone((standing) => byOrder(rule, standing)),
      comparedOf: (curve) => comparedOf(rule, curve),
    },
  };
}

function byScore(rule: BehindRule, { trial, curveOf }: Standing, others: readonly RungEntry[]): Verdict {
  const compared = others.map((other) =>
    rule.rule === "median" ? meanOf(finite(curveOf(other))) : (other.scores[0] ?? 0),
  );
  return against(rule, quantile(compared, shareBelow(rule)), curveOf(trial), others.length);
}

function byOrder(rule: BehindRule, { curve, order, trial }: OrderedStanding): Verdict {
  const among = order.othersThan(trial);
  if (among < rule.minTrials) return goOn;
  const threshold = order.quantileOfOthers(trial, comparedOf(rule, curve), shareBelow(rule));
  return against(rule, threshold, curve, among);
}

/** What others are compared with of a trial: the median rule's running average, or its score where it was judged last. */
function comparedOf({ rule }: BehindRule, curve: readonly Scores[]): number {
  return rule === "median" ? meanOf(finite(curve)) : (curve.at(-1)?.[0] ?? 0);
}

function shareBelow({ percentile }: BehindRule): number {
  return 1 - percentile / 100;
}

function against(
  { percentile, rule }: BehindRule,
  threshold: number,
  curve: readonly Scores[],
  among: number,
): Verdict {
  const best = Math.max(-Infinity, ...finite(curve));
  return best >= threshold ? goOn : { kind: "stop", reason: { rule, percentile, best, threshold, among } };
}

/**
 * Several objectives: a trial ends where others dominate it and it is not among the share that goes on, ranked by
 * fronts. One that nobody dominates never ends.
 */
function byDominance(rule: BehindRule, { trial }: Standing, others: readonly RungEntry[]): Verdict {
  const dominatedBy = others.filter(({ scores }) => outranks(scores, trial.scores)).length;
  const isFinite = trial.scores.every(Number.isFinite);
  if (dominatedBy === 0 && isFinite) return goOn;
  const kept = Math.ceil(((others.length + 1) * rule.percentile) / 100);
  const place = bestFirst([...others, trial]).findIndex((entry) => entry.trial === trial.trial);
  if (place >= 0 && place < kept) return goOn;
  const { percentile } = rule;
  return { kind: "stop", reason: { rule: rule.rule, percentile, dominatedBy, among: others.length } };
}

function finite(curve: readonly Scores[]): number[] {
  return curve.flatMap(([score]) => (score !== undefined && Number.isFinite(score) ? [score] : []));
}
