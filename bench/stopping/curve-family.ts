/**
 * Families of learning curves with known truth: what a loss looks like over epochs for given parameters. Made up, not
 * measured: each has one difficulty that real curves have too. All randomness comes from a seed.
 */
import { randomStream } from "../../search/space/random-stream.ts";
import type { Params } from "../../protocol/value.ts";

export interface CurveFamily {
  readonly name: string;
  readonly difficulty: string;
  /** True loss after so many epochs; smaller is better. */
  readonly lossAt: (params: Params, epoch: number) => number;
  /** Standard deviation of what a trial reports around the truth. */
  readonly noise: number;
  /** Share of trials that diverge at their first rung and report nothing finite. */
  readonly diverging: number;
}

export const parameterNames = ["lr", "width", "decay", "mix"] as const;

function read(params: Params): readonly [number, number, number, number] {
  const [lr = 0, width = 0, decay = 0, mix = 0] = parameterNames.map((name) => Number(params[name]));
  return [lr, width, decay, mix];
}

/** How far from the family's best parameters, 0 to about 1. */
function distance(params: Params, best: readonly number[], weights: readonly number[]): number {
  return read(params).reduce(
    (sum, value, index) => sum + (weights[index] ?? 0) * (value - (best[index] ?? 0)) ** 2,
    0,
  );
}

export const curveFamilies: readonly CurveFamily[] = [
  {
    name: "power-law",
    difficulty: "fast learners lead early and end worse: curves cross",
    noise: 0.004,
    diverging: 0,
    lossAt(params, epoch) {
      const [lr] = read(params);
      const floor = 0.1 + 0.6 * distance(params, [0.3, 0.6, 0.4, 0.5], [0.8, 0.6, 0.4, 0.2]);
      return floor + (1 - floor) * (1 + epoch) ** -(0.4 + 0.4 * lr);
    },
  },
  {
    name: "late-bloomer",
    difficulty: "a plateau first, longer for many of the best",
    noise: 0.004,
    diverging: 0,
    lossAt(params, epoch) {
      const [, width] = read(params);
      const floor = 0.1 + 0.6 * distance(params, [0.5, 0.6, 0.3, 0.5], [0.8, 0.6, 0.4, 0.2]);
      const halfWay = 3 * 3 ** width;
      return floor + (1 - floor) / (1 + (epoch / halfWay) ** 1.5);
    },
  },
  {
    name: "overfit",
    difficulty: "what is not regularised falls fast and rises again",
    noise: 0.008,
    diverging: 0,
    lossAt(params, epoch) {
      const [lr, , decay] = read(params);
      const floor = 0.1 + 0.5 * distance(params, [0.5, 0.5, 0.6, 0.4], [0.6, 0.6, 0, 0.4]);
      const fallen = Math.exp(-epoch / (2.2 + 0.4 * decay - 0.4 * lr));
      const turn = 5 + 80 * decay;
      return floor + (1 - floor) * fallen + 0.004 * Math.max(0, epoch - turn);
    },
  },
  {
    name: "noisy",
    difficulty: "noise as large as most differences, and one trial in ten diverges",
    noise: 0.05,
    diverging: 0.1,
    lossAt(params, epoch) {
      const [lr] = read(params);
      const floor = 0.1 + 0.6 * distance(params, [0.6, 0.6, 0.4, 0.5], [0.8, 0.6, 0.4, 0.2]);
      return floor + (1 - floor) * (1 + epoch) ** -(0.5 + 0.2 * lr);
    },
  },
];

/** What the trial reports: the truth with noise of its own; null where it has diverged. */
export function reportedLoss(
  family: CurveFamily,
  seed: number,
  params: Params,
  epoch: number,
): number | null {
  const who = read(params).join("/");
  if (randomStream(seed, `diverge/${who}`, 0).next() < family.diverging) return null;
  return family.lossAt(params, epoch) + family.noise * normal(seed, `noise/${who}`, epoch);
}

/** A standard normal number (Box and Muller 1958). */
function normal(seed: number, purpose: string, position: number): number {
  const random = randomStream(seed, purpose, position);
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  return radius * Math.cos(2 * Math.PI * random.next());
}

/** The true loss, at its best over a whole run, that a share of random parameters reaches. */
export function targetOf(family: CurveFamily, epochs: number, share: number): number {
  const losses = randomParams(5_000).map((params) => bestLoss(family, params, epochs));
  return losses.sort((a, b) => a - b)[Math.floor(share * losses.length)] ?? Number.NaN;
}

/**
 * How much an early epoch says: Spearman's rank correlation between what trials report then and the best they
 * get to over a whole run; 1 would make waiting pointless, 0 would make stopping there a lottery.
 */
export function earlyRank(family: CurveFamily, epoch: number, epochs: number): number {
  const all = randomParams(1_000);
  const early = ranksOf(
    all.map((params) => reportedLoss({ ...family, diverging: 0 }, 1, params, epoch) ?? 0),
  );
  const best = ranksOf(all.map((params) => bestLoss(family, params, epochs)));
  const squares = early.reduce((sum, rank, index) => sum + (rank - (best[index] ?? rank)) ** 2, 0);
  return 1 - (6 * squares) / (all.length * (all.length ** 2 - 1));
}

function randomParams(count: number): Params[] {
  return Array.from({ length: count }, (_, position) => {
    const random = randomStream(1, "target", position);
    return Object.fromEntries(parameterNames.map((name) => [name, random.next()]));
  });
}

function bestLoss(family: CurveFamily, params: Params, epochs: number): number {
  let best = Infinity;
  for (let epoch = 1; epoch <= epochs; epoch++) best = Math.min(best, family.lossAt(params, epoch));
  return best;
}

function ranksOf(values: readonly number[]): readonly number[] {
  const ranks: number[] = [];
  const order = [...values.keys()].sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  order.forEach((index, rank) => (ranks[index] = rank));
  return ranks;
}
