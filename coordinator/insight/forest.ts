/**
 * A random forest over the parameters of a sweep, and what it says of one or two of them with all others averaged out: exactly,
 * by the volume of the leaves (Hutter, Hoos and Leyton-Brown 2014, algorithm 2). Seeded: the same trials give the same forest.
 */
import { meanOf } from "../../numeric/moment.ts";
import { randomStream } from "../../search/space/random-stream.ts";
import { growTree, widthOf, type Dimension, type Leaf, type Side } from "./regression-tree.ts";

const trees = 64;

export interface Forest {
  readonly dimensions: readonly Dimension[];
  /** Per tree its leaves. */
  readonly trees: readonly (readonly Leaf[])[];
}

/** `rows` are points of the cube that `dimensions` span, `values` what was measured there. */
export function growForest(
  dimensions: readonly Dimension[],
  rows: readonly (readonly number[])[],
  values: readonly number[],
  seed: number,
): Forest {
  return {
    dimensions,
    trees: Array.from({ length: trees }, (_, tree) =>
      growTree(dimensions, rows, values, randomStream(seed, "importance", tree)),
    ),
  };
}

/** The share of a tree's variance that each dimension explains by itself, averaged over the trees. */
export function mainEffects(forest: Forest): readonly number[] {
  const varying = forest.trees.flatMap((leaves) => {
    const mean = leaves.reduce((sum, leaf) => sum + leaf.mean * leaf.volume, 0);
    const variance = leaves.reduce((sum, leaf) => sum + (leaf.mean - mean) ** 2 * leaf.volume, 0);
    return variance > 0 ? [{ leaves, mean, variance }] : [];
  });
  return forest.dimensions.map((_, dimension) => {
    const shares = varying.map(({ leaves, mean, variance }) => {
      const marginal = marginalOf(leaves, dimension);
      return marginal.reduce((sum, { value, width }) => sum + width * (value - mean) ** 2, 0) / variance;
    });
    return shares.length === 0 ? 0 : meanOf(shares);
  });
}

/** What the forest expects at `point` in the `chosen` dimensions, whatever the others are. */
export function expectation(forest: Forest, chosen: readonly number[], point: readonly number[]): number {
  let sum = 0;
  for (const leaves of forest.trees) {
    for (const leaf of leaves) sum += leaf.mean * shareAt(leaf, chosen, point);
  }
  return sum / forest.trees.length;
}

/** The leaf's share of all points that are at `point` in the chosen dimensions. */
function shareAt(leaf: Leaf, chosen: readonly number[], point: readonly number[]): number {
  let share = leaf.volume;
  for (const [at, dimension] of chosen.entries()) {
    const side = leaf.sides[dimension];
    if (side === undefined || !holds(side, point[at] ?? 0)) return 0;
    share /= widthOf(side);
  }
  return share;
}

function holds(side: Side, x: number): boolean {
  if (side.kind === "choice") return side.allowed[x] === true;
  // Stretches are open at their lower end, but for the first.
  return x <= side.high && (x > side.low || side.low === 0);
}

interface Stretch {
  readonly width: number;
  /** Expected value of the tree on it. */
  readonly value: number;
}

function marginalOf(leaves: readonly Leaf[], dimension: number): readonly Stretch[] {
  const parts = leaves.flatMap((leaf) => {
    const side = leaf.sides[dimension];
    return side === undefined ? [] : [{ side, weight: (leaf.mean * leaf.volume) / widthOf(side) }];
  });
  const choices = parts.reduce((most, { side }) => (side.kind === "choice" ? side.allowed.length : most), 0);
  if (choices > 0) {
    return Array.from({ length: choices }, (_, choice) => ({
      width: 1 / choices,
      value: parts.reduce((sum, { side, weight }) => sum + (holds(side, choice) ? weight : 0), 0),
    }));
  }
  // The sum of the leaves changes where one begins or ends.
  const steps = new Map<number, number>();
  const step = (at: number, by: number) => steps.set(at, (steps.get(at) ?? 0) + by);
  for (const { side, weight } of parts) {
    if (side.kind !== "number") continue;
    step(side.low, weight);
    step(side.high, -weight);
  }
  const edges = [...steps].toSorted(([a], [b]) => a - b);
  let value = 0;
  return edges.flatMap(([at, by], index) => {
    value += by;
    const next = edges[index + 1];
    return next === undefined ? [] : [{ width: next[0] - at, value }];
  });
}
