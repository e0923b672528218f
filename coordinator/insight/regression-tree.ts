/**
 * A regression tree over a cube of numbers and choices, grown until its leaves are pure (Breiman 1984). Its leaves are boxes, so
 * that averages over whole parameters are sums and not samples.
 */
import type { RandomStream } from "../../search/space/random-stream.ts";

/** A dimension of the cube: a number from 0 to 1, or one of so many choices by index. */
export type Dimension = { readonly kind: "number" } | { readonly kind: "choice"; readonly choices: number };

/** One leaf. Per dimension what it holds: a stretch of 0 to 1, or which choices. */
export interface Leaf {
  readonly mean: number;
  /** Of the box: its share of the cube. */
  readonly volume: number;
  readonly sides: readonly Side[];
}
export type Side =
  | { readonly kind: "number"; readonly low: number; readonly high: number }
  | { readonly kind: "choice"; readonly allowed: readonly boolean[] };

const depthMost = 64;

interface Split {
  readonly dimension: number;
  /** Numbers up to it go left; or the choice that goes left. */
  readonly at: number;
  readonly error: number;
}

/** The leaves of a tree on `rows`, of which it sees a bootstrap sample. They fill the cube and do not overlap. */
export function growTree(
  dimensions: readonly Dimension[],
  rows: readonly (readonly number[])[],
  values: readonly number[],
  random: RandomStream,
): readonly Leaf[] {
  const sample = rows.map(() => Math.floor(random.next() * rows.length));
  const whole: readonly Side[] = dimensions.map((dimension) =>
    dimension.kind === "number"
      ? { kind: "number", low: 0, high: 1 }
      : { kind: "choice", allowed: Array.from({ length: dimension.choices }, () => true) },
  );
  const leaves: Leaf[] = [];
  const grow = (members: readonly number[], sides: readonly Side[], depth: number): void => {
    const mean = members.reduce((sum, row) => sum + (values[row] ?? 0), 0) / members.length;
    const split = depth < depthMost ? bestSplit(dimensions, rows, values, members) : null;
    if (split === null) {
      leaves.push({ mean, volume: volumeOf(sides), sides });
      return;
    }
    const isLeft = (row: number) => {
      const x = rows[row]?.[split.dimension] ?? 0;
      return dimensions[split.dimension]?.kind === "choice" ? x === split.at : x <= split.at;
    };
    for (const left of [true, false]) {
      const part = members.filter((row) => isLeft(row) === left);
      const cut = sides.map((side, at) => (at === split.dimension ? cutSide(side, split.at, left) : side));
      grow(part, cut, depth + 1);
    }
  };
  grow(sample, whole, 0);
  return leaves;
}

/** The share of its dimension that a side covers. */
export function widthOf(side: Side): number {
  if (side.kind === "number") return side.high - side.low;
  return side.allowed.filter(Boolean).length / side.allowed.length;
}

function volumeOf(sides: readonly Side[]): number {
  return sides.reduce((product, side) => product * widthOf(side), 1);
}

function cutSide(side: Side, at: number, left: boolean): Side {
  if (side.kind === "number") {
    return left ? { kind: "number", low: side.low, high: at } : { kind: "number", low: at, high: side.high };
  }
  return {
    kind: "choice",
    allowed: side.allowed.map((allowed, index) => allowed && (index === at) === left),
  };
}

/** The split with the least squared error in its two parts; null where all values or all rows are equal. */
function bestSplit(
  dimensions: readonly Dimension[],
  rows: readonly (readonly number[])[],
  values: readonly number[],
  members: readonly number[],
): Split | null {
  const first = values[members[0] ?? 0];
  if (members.every((row) => values[row] === first)) return null;
  const total = members.reduce((sum, row) => sum + (values[row] ?? 0), 0);
  let best: Split | null = null;
  // Up to a constant, the squared error of two parts with these sums and sizes.
  const consider = (dimension: number, at: number, sum: number, size: number): void => {
    const error = -(sum ** 2) / size - (total - sum) ** 2 / (members.length - size);
    if (best === null || error < best.error) best = { dimension, at, error };
  };
  for (const [at, dimension] of dimensions.entries()) {
    const x = (row: number) => rows[row]?.[at] ?? 0;
    if (dimension.kind === "choice") {
      for (let choice = 0; choice < dimension.choices; choice++) {
        const part = members.filter((row) => x(row) === choice);
        if (part.length === 0 || part.length === members.length) continue;
        consider(
          at,
          choice,
          part.reduce((sum, row) => sum + (values[row] ?? 0), 0),
          part.length,
        );
      }
      continue;
    }
    const order = members.toSorted((a, b) => x(a) - x(b));
    let sum = 0;
    for (const [index, row] of order.entries()) {
      const next = order[index + 1];
      sum += values[row] ?? 0;
      if (next === undefined || x(next) === x(row)) continue;
      consider(at, (x(row) + x(next)) / 2, sum, index + 1);
    }
  }
  return best;
}
