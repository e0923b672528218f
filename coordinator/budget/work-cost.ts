/**
 * What an attempt of one kind of work costs, from past attempts: one with a single epoch, and each epoch more. Pure; amounts are
 * milli-tokens, errors are of their logarithm. What a sweep is made of is `imagined-sweep.ts`'s business.
 */
import { meanOf } from "../../numeric/moment.ts";
import type { LogMeans, WorkSample } from "../state/state.ts";

interface Amount {
  readonly mean: number;
  /** Standard error of its logarithm. */
  readonly logError: number;
}

export interface WorkCost {
  /** Of an attempt that makes one epoch: its start and that epoch. */
  readonly single: Amount;
  readonly epoch: Amount;
  /** What the first attempt on each agent costs more, until all is brought in and compiled. */
  readonly coldExtra: number;
  /** Attempts it rests on; 0: the probe. */
  readonly attempts: number;
  /** They were alike enough, and enough of them, for a least that can be relied on. */
  readonly isSure: boolean;
}

export interface Asked {
  readonly rows: number;
  readonly code: string;
  /** Processor and backend of the agents there are. */
  readonly hardware: ReadonlySet<string>;
  /** Trials that will be run. */
  readonly trials: number;
}

/** So many past attempts that are alike make unlike ones needless. */
const alikeMin = 3;
/** Data sets are alike below this factor of rows. */
const rowsFactorMax = 1.5;
/** Of the logarithm of a factor of rows by which costs are carried over, this much is doubt. */
const carryDoubt = 0.4;
/** How much of a start grows with the rows: its exponent. */
const startGrowth = 0.5;
/**
 * Between one sweep and another of the same kind, which no count of attempts averages out: 0.37 where others used the machine meanwhile
 * ([benchmarks](../../docs/benchmarks.md#estimates)).
 */
const betweenSweeps = 0.35;
/** Between unlike machines, by whose probes the prices are made alike. */
const betweenMachines = 0.5;
/** Between a program and what it was before somebody changed it. */
const betweenCodes = 0.5;
/** Spread where few attempts show none. */
const spreadFew = 0.4;
const fewMax = 5;

export function costFromPast(past: readonly WorkSample[], asked: Asked): WorkCost | null {
  if (past.length === 0) return null;
  const sameCode = past.filter(({ code }) => code === asked.code);
  const isKnownCode = sameCode.length >= alikeMin;
  const ofCode = isKnownCode ? sameCode : past;
  const sameMachine = ofCode.filter(({ hardware }) => asked.hardware.has(hardware));
  const isKnownMachine = sameMachine.length >= alikeMin;
  const here = isKnownMachine ? sameMachine : ofCode;
  const sameRows = here.filter(({ rows }) => Math.abs(carryOf(rows, asked)) < Math.log(rowsFactorMax));
  const isKnownData = sameRows.length >= alikeMin;
  const used = isKnownData ? sameRows : here;
  const carried = meanOf(used.map(({ rows }) => Math.abs(carryOf(rows, asked))));
  const doubt = Math.hypot(
    betweenSweeps,
    isKnownCode ? 0 : betweenCodes,
    isKnownMachine ? 0 : betweenMachines,
    carryDoubt * carried,
  );
  const warm = used.filter(({ cold }) => !cold);
  const singles = (warm.length > 0 ? warm : used).map((sample) => singleOf(sample, asked));
  const cold = used.filter((sample) => sample.cold).map((sample) => singleOf(sample, asked));
  const single = amountOf(singles, asked.trials, doubt);
  return {
    single,
    epoch: epochFrom(used, asked, single, doubt),
    coldExtra: warm.length === 0 || cold.length === 0 ? 0 : Math.max(0, meanOf(cold) - meanOf(singles)),
    attempts: past.length,
    isSure: isKnownCode && isKnownMachine && isKnownData && used.length >= alikeMin,
  };
}

function carryOf(rows: number, asked: Asked): number {
  return Math.log(asked.rows / rows);
}

/** What it would have cost with one epoch alone, on so many rows. */
function singleOf({ cost, epochs, rows }: WorkSample, asked: Asked): number {
  const later = epochs.later ?? 0;
  const growth = asked.rows / rows;
  const one = Math.max(0, cost - later * (epochs.units - 1));
  const training = Math.min(one, epochs.later ?? Math.max(0, epochs.first - epochs.began));
  return Math.max(1, (one - training) * growth ** startGrowth + training * growth);
}

/** Where no attempt made several epochs, one later is at most what a whole attempt of one took. */
function epochFrom(used: readonly WorkSample[], asked: Asked, single: Amount, doubt: number): Amount {
  const later = used.flatMap(({ epochs, rows }) =>
    epochs.later === undefined ? [] : [Math.max(0.1, (epochs.later * asked.rows) / rows)],
  );
  if (later.length > 0) return amountOf(later, asked.trials, doubt);
  // A runner that says when it began to train has measured the first epoch, in which it still warms up.
  const began = meanOf(used.map(({ epochs }) => epochs.began / Math.max(1, epochs.first)));
  const isTold = began > 0.02;
  const share = isTold ? 0.6 * (1 - began) : 0.3;
  return { mean: single.mean * share, logError: Math.hypot(doubt, isTold ? 0.6 : 1.2) };
}

function amountOf(values: readonly number[], trials: number, doubt: number): Amount {
  const logs = values.map(Math.log);
  const mean = meanOf(logs);
  const spread =
    values.length < 2
      ? 1
      : Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / (values.length - 1));
  const deviation = values.length < fewMax ? Math.max(spread, spreadFew) : spread;
  const logError = Math.hypot(
    doubt,
    deviation / Math.sqrt(values.length),
    deviation / Math.sqrt(Math.max(1, trials)),
  );
  return { mean: meanOf(values), logError };
}

/** From agents that measured no parts there are only costs by epoch, starts among them, on one row. */
export function costByEpoch({ count, mean, squares }: LogMeans, rows: number): WorkCost {
  const variance = count > 1 ? squares / (count - 1) : 1;
  // The mean of a log-normal distribution (Aitchison and Brown 1957).
  const epoch = rows * Math.exp(mean + variance / 2);
  const amount = { mean: epoch, logError: Math.hypot(Math.sqrt(variance / count), 2 * betweenMachines) };
  return { single: amount, epoch: amount, coldExtra: 0, attempts: count, isSure: false };
}

/** A probe times epochs of a model in a warm process: what a start costs beside them, nobody has measured. */
const startMs = 800;
const probeDoubt = Math.log(8) / 2;

/** A token is a second of the reference machine, so the probe's rates say what an example costs. */
export function costFromProbe(
  tokensPerSecond: number,
  examplesPerSecond: number,
  rows: number,
): WorkCost | null {
  if (examplesPerSecond <= 0) return null;
  const epoch = (1000 * tokensPerSecond * rows) / examplesPerSecond;
  return {
    single: { mean: epoch + startMs * tokensPerSecond, logError: probeDoubt },
    epoch: { mean: epoch, logError: probeDoubt },
    coldExtra: startMs * tokensPerSecond,
    attempts: 0,
    isSure: false,
  };
}
