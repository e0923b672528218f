/**
 * The machines that the mesh's tracker names as one source of chunks (`peer-source.ts`). Not here: the door through which they are reached, and whose
 * certificate is shown there.
 */
import type { Bus } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { ChunkSource, ChunkWork, SourceEnd } from "../chunk-source.ts";
import { findPeers } from "../find-peers.ts";
import type { Progress, Received } from "./download.ts";
import type { FarPeer } from "./peer-door.ts";
import type { PeerReach } from "./peer-reach.ts";
import { PeerSource } from "./peer-source.ts";
import { trackedPeers } from "./tracked-peer.ts";

/** With nobody to have it from, before the next source is asked, ms. */
const giveUpMs = 2_000;
/** The same where somebody has it who may have to be called by another. */
const calledGiveUpMs = 8_000;
/** Larger ones are refused; a disk that is smaller says so first. */
const artifactBytesMax = 2 ** 44;

export interface TrackedSourceOptions {
  readonly bus: Pick<Bus, "request">;
  readonly mesh: string;
  /** This machine's own name among the others. */
  readonly self: string;
  /** How they are come to, asked once somebody is found; null: not at all. */
  readonly reach: () => Promise<PeerReach | null>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onReceived?: (artifact: Digest, received: Received) => void;
  readonly onProgress?: (progress: Progress) => void;
}

export class TrackedSource implements ChunkSource {
  readonly name = "the other agents";
  readonly #options: TrackedSourceOptions;

  constructor(options: TrackedSourceOptions) {
    this.#options = options;
  }

  async bring(work: ChunkWork, signal: AbortSignal): Promise<SourceEnd> {
    const { bus, clock, mesh, onProgress, onReceived, random, self } = this.#options;
    // Asked before anything waits for anybody: mostly nobody else has it.
    const all = trackedPeers(await findPeers(bus, mesh, work.artifact), self);
    const reach = all.length === 0 ? null : await this.#options.reach();
    if (reach === null) return { kind: "missing" };
    const near = (peers: readonly FarPeer[]) => peers.filter(({ name }) => !reach.isAside(name));
    const ask = async (digest: Digest) => near(trackedPeers(await findPeers(bus, mesh, digest), self));
    const first = near(all);
    if (first.length === 0) return { kind: "missing" };
    let known: readonly FarPeer[] | null = first;
    const peersOf = (digest: Digest) => {
      const peers = known;
      known = null;
      return peers === null ? ask(digest) : Promise.resolve(peers);
    };
    const mayBeCalled = first.some(({ via = [] }) => via.length > 0);
    const source = new PeerSource({
      ...{ peersOf, clock, random, bytesMax: artifactBytesMax },
      giveUpMs: mayBeCalled ? calledGiveUpMs : giveUpMs,
      reach: (peer) => reach.reach(peer),
      onReceived: (received) => onReceived?.(work.artifact, received),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    return source.bring(work, signal);
  }
}
