/**
 * BLOB-6: reads what the mesh's store holds of the artifacts on record, one after the other and at leisure, so that what is lost or wrong is
 * found while an agent may still have it, and not when it is needed. What the store holds beside is nobody's.
 */
import { BusError } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import { sleep, type Clock } from "../../protocol/time/clock.ts";
import { replicaBytesMin } from "../../protocol/tracking.ts";
import { isHeld } from "../state/bytes-held.ts";
import type { State } from "../state/state.ts";
import type { BlobProver } from "./blob-prover.ts";

const firstMs = 1_000;
/** Agents have told a new leader what they hold by then, ms. */
const hearMs = 30_000;
/** Between two rounds. */
const againMs = 24 * 60 * 60_000;
/** A look is followed by a rest: so many times as long as it took, and this long at least. */
const restShare = 4;
const restMinMs = 20;
/** With so many asked for it waits until agents have answered. */
const wantedMost = 8;
const wantedPauseMs = 1_000;

export interface ScrubOptions {
  readonly prover: BlobProver;
  readonly clock: Clock;
  /** Its artifacts; called between batches. */
  readonly digests: () => Promise<OnRecord>;
  /** It lies at agents, and is not expected in the mesh's store. */
  readonly isAtAgents: (digest: Digest) => boolean;
}

export interface OnRecord {
  readonly stored: readonly Digest[];
  /** Large checkpoints, which may lie at agents instead. */
  readonly perhaps: readonly Digest[];
}

/** Goes on until it is ended by what it returns. */
export function scrubBlobs({ clock, digests, isAtAgents, prover }: ScrubOptions): () => void {
  let ended = false;
  const round = async (): Promise<void> => {
    const { perhaps, stored } = await digests();
    await lookAt(stored);
    if (perhaps.length === 0) return;
    await sleep(clock, hearMs);
    await lookAt(perhaps.filter((digest) => !isAtAgents(digest)));
  };
  const lookAt = async (these: readonly Digest[]): Promise<void> => {
    const left = these.toReversed();
    for (let digest = left.pop(); digest !== undefined; digest = left.pop()) {
      while (!ended && prover.wanted().length >= wantedMost) await sleep(clock, wantedPauseMs);
      if (ended) return;
      const from = clock.monotonic();
      await prover.look(digest).catch((error: unknown) => {
        // A server that is away now is asked for it in the next round.
        if (!(error instanceof BusError)) throw error;
      });
      // A large artifact is a tree, of which each node and each chunk is a blob.
      left.push(...(await prover.below(digest).catch(() => [])).toReversed());
      await sleep(clock, Math.max(restMinMs, (clock.monotonic() - from) * restShare));
    }
  };
  const run = async (): Promise<void> => {
    await sleep(clock, firstMs);
    while (!ended) {
      await round();
      await sleep(clock, againMs);
    }
  };
  void run();
  return () => {
    ended = true;
  };
}

/** Of models and datasets first, then of trials and what they said, the newest first. */
export function artifactsOnRecord(state: State): OnRecord {
  const large = new Set<Digest>();
  const found = new Set<Digest>();
  for (const { versions } of state.models.values()) for (const { artifact } of versions) found.add(artifact);
  for (const { versions } of state.datasets.values()) for (const { digest } of versions) found.add(digest);
  for (const { checkpoint, checkpointBytes } of [...state.trials.values()].reverse()) {
    if (checkpoint === null || found.has(checkpoint.digest)) continue;
    (checkpointBytes < replicaBytesMin ? found : large).add(checkpoint.digest);
  }
  for (const { curves, logs } of [...state.archives.values()].reverse())
    for (const digest of [curves, logs]) if (digest !== undefined) found.add(digest);
  // What was collected is not looked for.
  const held = (digests: ReadonlySet<Digest>) => [...digests].filter((digest) => isHeld(state, digest));
  return { stored: held(found), perhaps: held(large) };
}
