/** How much each label's examples count in the loss, so that a rare label is not drowned by a frequent one. */
import type { ParameterSpec } from "./task.ts";

export const classWeightParameters = {
  classWeights: {
    type: "choice",
    choices: ["none", "balanced"],
    default: "none",
    about: "balanced: labels count the same in the loss, however rare they are",
  },
} as const satisfies Record<string, ParameterSpec>;

/**
 * [labels]: rows / (labels × rows of the label), as scikit-learn's "balanced", so that their mean over the
 * rows is 1; a label without rows has 0. All 1 where they are not asked for.
 */
export function classWeights(balanced: boolean, truths: ArrayLike<number>, labels: number): Float32Array {
  if (!balanced) return new Float32Array(labels).fill(1);
  const counts = new Float64Array(labels);
  for (let row = 0; row < truths.length; row++) {
    const label = truths[row] ?? 0;
    counts[label] = (counts[label] ?? 0) + 1;
  }
  const present = counts.reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
  return Float32Array.from(counts, (count) => (count === 0 ? 0 : truths.length / (present * count)));
}
