/** What is counted of one version while it serves. Plain numbers that only rise, but for `inProgress`; `/metrics` writes them. */
import { newHistogram, type Histogram } from "./histogram.ts";

export interface LaneCounters {
  success: number;
  failure: number;
  inProgress: number;
  rows: number;
  batches: number;
  /** Milliseconds that requests waited before their first batch, and that batches took. */
  queueMs: number;
  computeMs: number;
  /** Seconds from the first byte that was seen of a request to its answer. */
  readonly seconds: Histogram;
  readonly batchRows: Histogram;
}

export const secondBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const rowBounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096];

export function newLaneCounters(): LaneCounters {
  return {
    ...{ success: 0, failure: 0, inProgress: 0, rows: 0, batches: 0, queueMs: 0, computeMs: 0 },
    seconds: newHistogram(secondBounds),
    batchRows: newHistogram(rowBounds),
  };
}
