/**
 * How long it takes until an agent has the bytes that a trial needs, and what that is worth beside how long the trial takes. Pure; what
 * agents hold is told by whoever knows (`leader/tracker.ts`), and where nobody does, by what they were sent before.
 *
 * PLACE-4: between agents that fit equally the one with fewer bytes to move comes first; an agent is worth less by the share of its time
 * that goes into moving, never so little that a slot stays empty for it.
 */
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import type { Digest } from "../../protocol/id.ts";
import type { State, Sweep, Trial } from "../state/state.ts";
import { expectedMs } from "./expected-work.ts";

/** What is known of agents just now beside the state: soft, and decided on only for where a trial is offered, which an event says. */
export interface Holdings {
  /** Whether it has all of it; null where it has not said what it holds. */
  has(agent: string, digest: Digest): boolean | null;
  /** Who has it, whole or in part. */
  holdersOf(digest: Digest): Iterable<string>;
  /** Bytes a second that it was seen to receive; null where none were. */
  rateOf(agent: string): number | null;
}

export const nothingKnown: Holdings = { has: () => null, holdersOf: () => [], rateOf: () => null };

/** A machine at home on a wire of 1 Gbit/s that others use, or on good Wi-Fi. */
const assumedBytesPerSecond = 20 * bytesPerMiB;
/** Of a trial of which nothing was measured. */
const assumedTrainMs = 60_000;

export interface Needed {
  readonly digest: Digest;
  readonly bytes: number;
  /** Whether it was sent there before, as far as the state says. */
  readonly wasSent: (agent: string) => boolean;
}

/** What of a trial has to be where it runs. Its program's files and the like are small. */
export function neededBy(state: State, { spec }: Sweep, trial: Trial): readonly Needed[] {
  const needed: Needed[] = [];
  const { dataset } = spec;
  if (dataset !== null) {
    const { bytes, digest } = dataset;
    needed.push({ digest, bytes, wasSent: (agent) => state.dataAt.get(digest)?.has(agent) === true });
  }
  if (trial.checkpoint !== null)
    needed.push({
      digest: trial.checkpoint.digest,
      bytes: trial.checkpointBytes,
      wasSent: (agent) => trial.attempts.at(-1)?.agent === agent,
    });
  return needed;
}

/** Until the agent has all of it, ms. */
export function moveMs(needed: readonly Needed[], agent: string, holdings: Holdings): number {
  let bytes = 0;
  for (const each of needed)
    if (!(holdings.has(agent, each.digest) ?? each.wasSent(agent))) bytes += each.bytes;
  return bytes === 0 ? 0 : (bytes / (holdings.rateOf(agent) ?? assumedBytesPerSecond)) * 1_000;
}

/** Of an agent's time for a trial, up to its next rung, the share in which it trains: 1 where nothing has to be moved. */
export function trainingShare(
  state: State,
  sweep: Sweep,
  trial: Trial,
  rate: number,
  movingMs: number,
): number {
  if (movingMs === 0) return 1;
  const units = Math.max(1, trial.target - (trial.checkpoint?.resource ?? 0));
  const trainMs = Math.max(1, expectedMs(state, sweep, trial.model, { rate, units }) ?? assumedTrainMs);
  return trainMs / (trainMs + movingMs);
}
