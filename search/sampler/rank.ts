/** Order among results of several objectives, smaller being better: fronts by dominance, crowding within a front. */

/** True where `a` is nowhere worse than `b` and somewhere better. */
export function dominates(a: readonly number[], b: readonly number[]): boolean {
  let better = false;
  for (let index = 0; index < a.length; index++) {
    const value = a[index] ?? 0;
    const other = b[index] ?? value;
    if (value > other) return false;
    if (value < other) better = true;
  }
  return better;
}

/**
 * Indices into `points`, front by front, the best first. Each point, in rising order, goes into the first front that does not
 * dominate it, found by bisection (Zhang et al. 2015, ENS-BS).
 */
export function fronts(points: readonly (readonly number[])[]): readonly (readonly number[])[] {
  if (points.every((point) => point.length <= 1)) return frontsOfOne(points);
  const found: number[][] = [];
  for (const index of [...points.keys()].sort(
    (a, b) => lexicographic(points[a] ?? [], points[b] ?? []) || a - b,
  )) {
    let low = 0;
    let high = found.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isDominatedIn(points, found[middle] ?? [], points[index] ?? [])) low = middle + 1;
      else high = middle;
    }
    const front = found[low];
    if (front === undefined) found.push([index]);
    else front.push(index);
  }
  for (const front of found) front.sort((a, b) => a - b);
  return found;
}

/** From the last one in, which is the most alike; with two objectives it nearly always decides. */
function isDominatedIn(
  points: readonly (readonly number[])[],
  front: readonly number[],
  point: readonly number[],
): boolean {
  for (let place = front.length - 1; place >= 0; place--) {
    if (dominates(points[front[place] ?? 0] ?? [], point)) return true;
    if (point.length < 3) return false;
  }
  return false;
}

function lexicographic(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < a.length; index++) {
    const order = compare(a[index] ?? 0, b[index] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

/** One objective needs sorting only: equal values share a front. */
function frontsOfOne(points: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const found: number[][] = [];
  let last = Number.NaN;
  for (const index of [...points.keys()].toSorted((a, b) => (points[a]?.[0] ?? 0) - (points[b]?.[0] ?? 0))) {
    const value = points[index]?.[0] ?? 0;
    if (value === last) found.at(-1)?.push(index);
    else found.push([index]);
    last = value;
  }
  return found;
}

/** Crowding distance of each member of a front, in the front's order: larger is lonelier, Infinity at the ends. */
export function crowding(
  points: readonly (readonly number[])[],
  front: readonly number[],
): readonly number[] {
  const distance = Array.from(front, () => 0);
  const objectives = points[front[0] ?? 0]?.length ?? 0;
  for (let objective = 0; objective < objectives; objective++) {
    const at = (member: number | undefined) => points[front[member ?? 0] ?? 0]?.[objective] ?? 0;
    const order = [...front.keys()].toSorted((a, b) => at(a) - at(b) || a - b);
    const range = at(order.at(-1)) - at(order[0]);
    for (const [place, member] of order.entries()) {
      const isEnd = place === 0 || place === order.length - 1;
      const gap = range > 0 ? (at(order[place + 1]) - at(order[place - 1])) / range : 0;
      distance[member] = (distance[member] ?? 0) + (isEnd ? Infinity : gap);
    }
  }
  return distance;
}

/** All indices from best to worst: by front, then the lonelier first, then the earlier. */
export function ranked(points: readonly (readonly number[])[]): readonly number[] {
  if (points.every(({ length }) => length <= 1)) {
    return [...points.keys()].toSorted((a, b) => compare(points[a]?.[0] ?? 0, points[b]?.[0] ?? 0));
  }
  return fronts(points).flatMap((front) => {
    if (front.length === 1) return front;
    const distance = crowding(points, front);
    return [...front.keys()]
      .toSorted((a, b) => compare(distance[b] ?? 0, distance[a] ?? 0) || (front[a] ?? 0) - (front[b] ?? 0))
      .map((member) => front[member] ?? 0);
  });
}

function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
