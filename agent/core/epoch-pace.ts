/**
 * PACE-1: starting is no epoch. Of an attempt is kept when it began to train and when its first and its last epoch were done, by the
 * time it had used, so that what an epoch takes is told apart from what comes before the first. Nothing is concluded here.
 */
import type { Pace } from "../../protocol/report.ts";

interface DoneAt {
  /** Epochs done. */
  readonly resource: number;
  readonly usedMs: number;
}

export interface EpochTimes {
  readonly startMs: number;
  readonly first: DoneAt | null;
  readonly last: DoneAt | null;
}

export const noEpochs: EpochTimes = { startMs: 0, first: null, last: null };

export function hearEpoch(times: EpochTimes, done: DoneAt): EpochTimes {
  const { last } = times;
  if (last !== null && done.resource <= last.resource) return times;
  return { ...times, first: times.first ?? done, last: done };
}

/** What is said of it to the coordinator; null where no epoch was seen to be done. */
export function paceOf({ first, last, startMs }: EpochTimes): Pace | null {
  if (first === null || last === null) return null;
  const pace = { startMs: Math.min(startMs, first.usedMs), firstMs: first.usedMs };
  const epochs = last.resource - first.resource;
  return epochs > 0 ? { ...pace, epochMs: Math.max(0, last.usedMs - first.usedMs) / epochs } : pace;
}
