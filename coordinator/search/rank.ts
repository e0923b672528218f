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

/** Indices into `points`, front by front, the best first. Deb et al. 2002. */
export function fronts(points: readonly (readonly number[])[]): readonly (readonly number[])[] {
  if (points.every((point) => point.length <= 1)) return frontsOfOne(points);
  const beaten = Array.from(points, () => 0);
  const beats = points.map((): number[] => []);
  for (const [i, a] of points.entries()) {
    for (let j = i + 1; j < points.length; j++) {
      const b = points[j] ?? [];
      const [winner, loser] = dominates(a, b) ? [i, j] : dominates(b, a) ? [j, i] : [-1, -1];
      if (winner < 0) continue;
      beats[winner]?.push(loser);
      beaten[loser] = (beaten[loser] ?? 0) + 1;
    }
  }
  const found: number[][] = [];
  let front = [...points.keys()].filter((index) => beaten[index] === 0);
  while (front.length > 0) {
    found.push(front);
    const next: number[] = [];
    for (const winner of front) {
      for (const loser of beats[winner] ?? []) {
        const left = (beaten[loser] ?? 0) - 1;
        beaten[loser] = left;
        if (left === 0) next.push(loser);
      }
    }
    front = next.toSorted((a, b) => a - b);
  }
  return found;
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
