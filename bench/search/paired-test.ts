/**
 * Two samplers at equal seeds: who was nearer to the optimum how often, and Wilcoxon's signed-rank test (1945) of whether
 * that is chance. Exact for as few pairs as these, by counting; no normal approximation.
 */

export interface PairedTest {
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
  /** Two-sided; 1 where every pair is tied. */
  readonly p: number;
}

/** `ours` and `theirs` by seed, smaller is better. */
export function pairedTest(ours: readonly number[], theirs: readonly number[]): PairedTest {
  if (ours.length !== theirs.length) throw new Error(`${ours.length} seeds against ${theirs.length}`);
  const differences = ours.map((value, at) => value - (theirs[at] ?? value));
  const unequal = differences.filter((difference) => difference !== 0);
  return {
    wins: unequal.filter((difference) => difference < 0).length,
    losses: unequal.filter((difference) => difference > 0).length,
    ties: differences.length - unequal.length,
    p: signedRankP(unequal),
  };
}

/** Twice the ranks, so that the mean ranks of tied differences are whole numbers. */
function doubledRanks(sizes: readonly number[]): readonly number[] {
  return sizes.map((size) => {
    const below = sizes.filter((other) => other < size).length;
    const equal = sizes.filter((other) => other === size).length;
    return 2 * below + equal + 1;
  });
}

function signedRankP(differences: readonly number[]): number {
  if (differences.length === 0) return 1;
  const ranks = doubledRanks(differences.map(Math.abs));
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const positive = ranks.reduce((sum, rank, at) => sum + ((differences[at] ?? 0) > 0 ? rank : 0), 0);
  // How many of the 2^n ways to put signs to the ranks give each sum.
  const ways = new Float64Array(total + 1);
  ways[0] = 1;
  for (const rank of ranks) {
    for (let sum = total; sum >= rank; sum--) ways[sum] = (ways[sum] ?? 0) + (ways[sum - rank] ?? 0);
  }
  const least = Math.min(positive, total - positive);
  const tail = ways.subarray(0, least + 1).reduce((sum, count) => sum + count, 0);
  return Math.min(1, (2 * tail) / 2 ** ranks.length);
}
