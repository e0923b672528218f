/**
 * Trials of one rung, best first. One objective: by its score. Several: by non-dominated fronts, and within
 * a front the less crowded first (Deb et al. 2002, NSGA-II). Equal trials stand in order of their numbers, so that a
 * replay agrees. What has a score that is not finite is left out.
 */
import type { RungEntry, Scores } from "./stopping-policy.ts";

export function bestFirst(entries: readonly RungEntry[]): readonly RungEntry[] {
  const finite = entries.filter(isFinite);
  if (!hasSeveral(finite)) return finite.sort(byFirstScore);
  return frontsOf(finite).flatMap((front) => {
    const crowding = crowdingOf(front);
    const roomOf = (entry: RungEntry) => crowding.get(entry) ?? 0;
    // Two boundary trials are both infinitely far from the next: their difference is no number.
    return front.toSorted((a, b) => (roomOf(a) === roomOf(b) ? a.number - b.number : roomOf(b) - roomOf(a)));
  });
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
export function dominates(a: Scores, b: Scores): boolean {
  let better = false;
  for (let index = 0; index < a.length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference < 0) return false;
    if (difference > 0) better = true;
  }
  return better;
}

/**
 * The non-dominated front, then the front of what is left, and so on. Each trial, in falling order, goes into
 * the first front that does not dominate it, found by bisection (Zhang et al. 2015, ENS-BS).
 */
export function frontsOf(entries: readonly RungEntry[]): readonly (readonly RungEntry[])[] {
  const fronts: RungEntry[][] = [];
  for (const entry of entries.toSorted(lexicographic)) {
    let low = 0;
    let high = fronts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isDominatedIn(fronts[middle] ?? [], entry)) low = middle + 1;
      else high = middle;
    }
    const front = fronts[low];
    if (front === undefined) fronts.push([entry]);
    else front.push(entry);
  }
  return fronts;
}

/** From the last one in, which is the most alike; with two objectives it alone decides. */
function isDominatedIn(front: readonly RungEntry[], entry: RungEntry): boolean {
  const last = front.at(-1);
  if (last !== undefined && dominates(last.scores, entry.scores)) return true;
  if (entry.scores.length < 3) return false;
  return front.some((other) => dominates(other.scores, entry.scores));
}

function lexicographic(a: RungEntry, b: RungEntry): number {
  for (let index = 0; index < a.scores.length; index++) {
    const difference = (b.scores[index] ?? 0) - (a.scores[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.number - b.number;
}

/** Crowding distance: the size of the gap between a trial's neighbours, summed over the objectives' ranges. */
function crowdingOf(front: readonly RungEntry[]): ReadonlyMap<RungEntry, number> {
  const distance = new Map(front.map((entry) => [entry, 0]));
  const objectives = front[0]?.scores.length ?? 0;
  for (let objective = 0; objective < objectives; objective++) {
    const scoreOf = (entry: RungEntry | undefined) => entry?.scores[objective] ?? 0;
    const sorted = front.toSorted((a, b) => scoreOf(a) - scoreOf(b) || a.number - b.number);
    const range = scoreOf(sorted.at(-1)) - scoreOf(sorted[0]);
    sorted.forEach((entry, place) => {
      const atEdge = place === 0 || place === sorted.length - 1;
      const gap = range === 0 ? 0 : (scoreOf(sorted[place + 1]) - scoreOf(sorted[place - 1])) / range;
      distance.set(entry, (distance.get(entry) ?? 0) + (atEdge ? Infinity : gap));
    });
  }
  return distance;
}
