/**
 * What the next ten trials are likely to gain, and whether that is worth their tokens. The best of k trials falls towards some end
 * as a power of k (extreme value theory: Fisher and Tippett 1928). End and power are read off the newest half of the trials, by
 * the expected best of subsets of them, and followed on for ten more. A search about to change its ways is not foreseen.
 */
import { formatTokens } from "../../protocol/token.ts";
import type { ComparedTrial } from "./compared-trial.ts";

export const nextTrials = 10;
/** With fewer trials no end is foretold. */
export const gainTrialsLeast = 20;
/** A gain below this share of what the best trial has over the median one is called small. */
const smallShare = 0.01;
/** The newest trials that are looked at: half of all, but no more than these. */
const newestMost = 200;
/** Subsets of an eighth, a quarter and half of the trials: far enough from the luck of the very best. */
const subsetShare = 8;
/** Beyond these a power comes from noise. */
const powerLeast = 0.05;
const powerMost = 2;

export interface PredictedGain {
  /** Expected improvement of the best value, in the metric's unit, 0 or more. */
  readonly gain: number;
  /** The chance of any improvement. */
  readonly chance: number;
  /** What ten trials cost at the mean of the sweep's, in milli-tokens. */
  readonly cost: number;
  /** True where the gain is small beside what the sweep has won already. */
  readonly suggestStop: boolean;
}

/** Null while there are too few trials. `trials` by number; `spentPerTrial`: milli-tokens. */
export function predictedGain(trials: readonly ComparedTrial[], spentPerTrial: number): PredictedGain | null {
  if (trials.length < gainTrialsLeast) return null;
  const losses = trials.map(({ loss }) => loss);
  const sorted = losses.toSorted((a, b) => a - b);
  const best = sorted[0] ?? Number.NaN;
  const won = (sorted[Math.floor(sorted.length / 2)] ?? best) - best;
  const newest = losses.slice(-Math.min(newestMost, Math.ceil(losses.length / 2)));
  const { chance, gain } = followOn(newest, best);
  return { gain, chance, cost: nextTrials * spentPerTrial, suggestStop: gain <= smallShare * won };
}

function followOn(
  losses: readonly number[],
  best: number,
): { readonly gain: number; readonly chance: number } {
  const sorted = losses.toSorted((a, b) => a - b);
  const size = Math.max(1, Math.floor(sorted.length / subsetShare));
  const [few, some, many] = [1, 2, 4].map((times) => expectedBest(sorted, times * size));
  const none = { gain: 0, chance: 0 };
  if (few === undefined || some === undefined || many === undefined) return none;
  // Equal results say nothing of an end; neither does a sweep that stands still.
  if (!(few > some) || !(some > many)) return none;
  const power = Math.min(powerMost, Math.max(powerLeast, Math.log2((few - some) / (some - many))));
  const scale = (some - many) / ((2 * size) ** -power - (4 * size) ** -power);
  const end = many - scale * (4 * size) ** -power;
  if (best <= end) return none;
  // As many trials as it takes, on this line, to expect a best as good as the one there is.
  const worth = ((best - end) / scale) ** (-1 / power);
  const gain = scale * (worth ** -power - (worth + nextTrials) ** -power);
  return { gain, chance: nextTrials / (worth + nextTrials) };
}

/** The least of `size` different values drawn from these, on average. */
function expectedBest(sorted: readonly number[], size: number): number {
  const count = sorted.length;
  // The chance that the value at this place is the least of those drawn.
  let chance = size / count;
  let sum = 0;
  for (const [at, value] of sorted.entries()) {
    if (chance <= 0) break;
    sum += chance * value;
    chance *= (count - at - size) / (count - at - 1);
  }
  return sum;
}

/** The prediction in a sentence for people. */
export function gainSentence(gain: PredictedGain | null, metric: string): string {
  if (gain === null) return "Too few trials to foretell what more of them would gain.";
  const chance = gain.chance < 0.01 ? "less than 1 in 100" : `${Math.round(100 * gain.chance)} in 100`;
  const cost = formatTokens(Math.round(gain.cost));
  const better = Number(gain.gain.toPrecision(3));
  const sentence = `${nextTrials} more trials would cost about ${cost} tokens and improve ${metric} by ${better} on average; the chance of any improvement is ${chance}`;
  return gain.suggestStop ? `${sentence}: it may be time to stop.` : `${sentence}.`;
}
