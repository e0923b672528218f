/** What one model's queue may hold, and how long one batch may take. */
import { bytesPerMiB } from "../../protocol/byte-unit.ts";

export interface LaneLimits {
  readonly queueRowsMax: number;
  readonly queueBytesMax: number;
  /** Who would wait longer is turned away at once. */
  readonly queueMaxMs: number;
  /** What a batch is meant to take: between two of them the server hears other callers. */
  readonly batchMs: number;
  /** A model whose batches take less is asked at once, request by request. */
  readonly atOnceMs: number;
  /** A batch has at least so many rows if they are there, however slow the model is, and at most so many. */
  readonly batchRowsMin: number;
  readonly batchRowsMax: number;
  /** Of all texts of a batch; the one that goes beyond it is its last. */
  readonly batchCharactersMax: number;
}

export const laneLimits: LaneLimits = {
  queueRowsMax: 200_000,
  queueBytesMax: 64 * bytesPerMiB,
  queueMaxMs: 10_000,
  batchMs: 8,
  atOnceMs: 0.1,
  batchRowsMin: 16,
  batchRowsMax: 4_096,
  batchCharactersMax: 262_144,
};
