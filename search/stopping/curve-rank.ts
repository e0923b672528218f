/**
 * Trials of one rung, best first. One objective: by its score. Several: by non-dominated fronts, and within
 * a front the less crowded first (Deb et al. 2002, NSGA-II). Equal trials stand in order of their numbers, so that a
 * replay agrees. What has a score that is not finite is left out.
 */
import { dominates, ranked } from "../sampler/rank.ts";
import type { RungEntry, Scores } from "./stopping-policy.ts";

export function bestFirst(entries: readonly RungEntry[]): readonly RungEntry[] {
  const finite = entries.filter(isFinite);
  if (!hasSeveral(finite)) return finite.sort(byFirstScore);
  const byNumber = finite.sort((a, b) => a.number - b.number);
  return ranked(byNumber.map(({ scores }) => scores.map(negated))).flatMap((index) => byNumber[index] ?? []);
}

/**
 * Those of `some` that are among the first `count` of `bestFirst(entries)`, best first. With one objective the others are
 * not sorted: a rung may hold many thousands.
 */
export function amongBest(
  entries: readonly RungEntry[],
  count: number,
  some: readonly RungEntry[],
): readonly RungEntry[] {
  if (count === 0 || some.length === 0) return [];
  if (hasSeveral(entries)) {
    const wanted = new Set(some.map(({ trial }) => trial));
    return bestFirst(entries)
      .slice(0, count)
      .filter(({ trial }) => wanted.has(trial));
  }
  // Equal scores at the border are told apart by number, one by one; above it there is nothing to ask.
  const border = borderScore(entries, count);
  return some
    .filter((entry) => {
      const score = isFinite(entry) ? (entry.scores[0] ?? border) : -Infinity;
      return score > border || (score === border && placeOf(entries, entry) < count);
    })
    .sort(byFirstScore);
}

/** The score of the one at place `count`, one objective. */
function borderScore(entries: readonly RungEntry[], count: number): number {
  const scores = new Float64Array(entries.length);
  let finite = 0;
  for (const {
    scores: [score = Number.NaN],
  } of entries)
    if (Number.isFinite(score)) scores[finite++] = score;
  return scores.subarray(0, finite).sort().at(-count) ?? -Number.MAX_VALUE;
}

/** How many are better, one objective. */
function placeOf(entries: readonly RungEntry[], own: RungEntry): number {
  let better = 0;
  for (const entry of entries) if (isFinite(entry) && byFirstScore(entry, own) < 0) better++;
  return better;
}

function hasSeveral(entries: readonly RungEntry[]): boolean {
  return entries.some(({ scores }) => scores.length > 1);
}

function isFinite({ scores }: RungEntry): boolean {
  return scores.every(Number.isFinite);
}

function byFirstScore(a: RungEntry, b: RungEntry): number {
  return (b.scores[0] ?? 0) - (a.scores[0] ?? 0) || a.number - b.number;
}

/** True where `a` is nowhere worse than `b` and somewhere better. */
export function outranks(a: Scores, b: Scores): boolean {
  return dominates(a.map(negated), b.map(negated));
}

/** The sampler's order of fronts is for values to be made small. */
function negated(score: number): number {
  return -score;
}
