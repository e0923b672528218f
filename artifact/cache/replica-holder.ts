/**
 * Replicas of large checkpoints on this machine: its own, for which another agent is found, and those of others, brought from whoever made
 * them. Not here: whom the coordinator asks and when it has them released, and how chunks travel.
 *
 * REPL-1: a checkpoint of this machine's counts as held only once another agent has it too.
 * REPL-8: what is said to be kept here is kept until the coordinator has it released, or the mesh's store has it.
 * REPL-3: of what it is asked to hold it brings no more bytes than were spoken of, and no more than there is room for.
 */
import type { Digest } from "../../protocol/id.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { sleep, type Clock } from "../../protocol/time/clock.ts";
import { replicaBytesMin, type Held } from "../../protocol/tracking.ts";
import { shortDigest } from "../../text/figure.ts";
import type { Replicated } from "../ask-replica.ts";
import type { ChunkSource, ChunkWork } from "../chunk-source.ts";
import type { ArtifactStore, HeldArtifact } from "../store/artifact-store.ts";
import { fetchArtifact } from "./fetch-artifact.ts";
import type { KeptCheckpoint } from "./kept-checkpoint.ts";

export interface ReplicaHolderOptions {
  readonly store: ArtifactStore;
  readonly kept: KeptCheckpoint;
  /** The other agents. */
  readonly peers: readonly ChunkSource[];
  readonly clock: Clock;
  /** Finds another agent that holds it too: its name, or null. */
  readonly ask: (replicated: Replicated) => Promise<string | null>;
  /** The coordinator hears that this one is not brought. */
  readonly decline: (digest: Digest) => void;
  readonly onHeld: (held: Held) => void;
  readonly onDropped: (digest: Digest) => void;
  readonly say: (line: string) => void;
}

/** Replicas that are brought at once. */
const takenMax = 4;
/** While another process of this machine brings it. */
const busyMs = 200;

export class ReplicaHolder {
  readonly #options: ReplicaHolderOptions;
  /** What is being brought, and the bytes it may take. */
  readonly #taking = new Map<Digest, number>();
  #saidOf: string | null = null;

  constructor(options: ReplicaHolderOptions) {
    this.#options = options;
  }

  /**
   * It lies here, held by the caller. True once another agent holds it too; false where the mesh's store is to. Kept only then: what is said
   * to be kept here others count on, and nobody hears of it at once where the question is given up (REPL-8).
   */
  async replicate(replicated: Replicated): Promise<boolean> {
    const { ask, kept, onHeld, say } = this.#options;
    const { bytes, digest } = replicated;
    if (bytes < replicaBytesMin) return false;
    if (!kept.fits(digest, bytes)) return false;
    const by = await ask(replicated);
    if (by === null || !kept.keep(digest, bytes)) return false;
    onHeld({ digest, kept: bytes });
    if (by !== this.#saidOf) say(`large checkpoints that are made here are held by agent ${by} too`);
    this.#saidOf = by;
    return true;
  }

  /** Brings one of another agent and keeps it, or declines. `isWilling`: its owner lets the machine be used for that just now. */
  async take(digest: Digest, bytes: number, isWilling: boolean): Promise<void> {
    const { decline, say } = this.#options;
    // An order that is given again.
    if (this.#taking.has(digest)) return;
    const why = isWilling ? await this.#take(digest, bytes) : "";
    if (why === null) return;
    if (why !== "") say(`a replica of checkpoint ${shortDigest(digest)} is not held here: ${why}`);
    decline(digest);
  }

  /** It is as any other here from now on. */
  release(digest: Digest): void {
    const { kept, onHeld, store } = this.#options;
    if (!kept.has(digest)) return;
    kept.letGo(digest);
    if (store.entry(digest) !== null) onHeld({ digest });
  }

  /** Null where it is kept; else why not, or "" where that is nothing to speak of. */
  async #take(digest: Digest, bytes: number): Promise<string | null> {
    const { kept, onHeld, store } = this.#options;
    const coming = [...this.#taking.values()].reduce((sum, each) => sum + each, 0);
    if (store.entry(digest) === null && (this.#taking.size >= takenMax || kept.room() - coming < bytes))
      return "";
    this.#taking.set(digest, bytes);
    let held: HeldArtifact | string | null = null;
    try {
      held = (await store.hold(digest)) ?? (await this.#bring(digest, bytes));
      if (typeof held === "string") return held;
      if (held.bytes > bytes) return "it is larger than was said";
      if (!kept.keep(digest, held.bytes)) return "";
      onHeld({ digest, kept: held.bytes });
      return null;
    } catch (error) {
      return errorSentence(error);
    } finally {
      this.#taking.delete(digest);
      if (held !== null && typeof held !== "string") held.release();
    }
  }

  /** A sentence where it cannot be had. Throws the system's error. */
  async #bring(digest: Digest, bytes: number): Promise<HeldArtifact | string> {
    const { clock, onDropped, onHeld, peers, say, store } = this.#options;
    // Others can have of it what is here while the rest still comes, and the coordinator sees that it has begun.
    onHeld({ digest, part: true });
    while (peers.length > 0) {
      const fetched = await fetchArtifact(store, digest, {
        sources: peers.map((peer) => withinBytes(peer, bytes)),
        readPlain: () => Promise.resolve({ kind: "missing" }),
        signal: new AbortController().signal,
        say,
      });
      if (fetched.kind === "here") return fetched.held;
      if (fetched.kind === "failed") {
        onDropped(digest);
        return fetched.message;
      }
      await sleep(clock, busyMs);
      const held = await store.hold(digest);
      if (held !== null) return held;
    }
    return "no other agent can be asked";
  }
}

/** The source, but that nothing is wanted of what turns out to be larger. */
function withinBytes(source: ChunkSource, bytesMax: number): ChunkSource {
  return {
    name: source.name,
    bring: (work, signal) => {
      const guarded: ChunkWork = {
        artifact: work.artifact,
        get bytes() {
          return work.bytes;
        },
        take: (options) => (work.bytes !== null && work.bytes > bytesMax ? null : work.take(options)),
        give: (chunk, data) => work.give(chunk, data),
        putBack: (chunks) => work.putBack(chunks),
        changed: () => work.changed(),
      };
      return source.bring(guarded, signal);
    },
  };
}
