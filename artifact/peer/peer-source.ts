/**
 * Other machines as one source of the chunks of an artifact: all that hold some of it, at once. What it takes of the work it has
 * its own plan for; not here: the plan (`chunk-plan.ts`), and what sources are asked before or after it.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { ChunkSource, ChunkWork, SourceEnd, WantedChunk } from "../chunk-source.ts";
import { chunkBytesMax, chunkDigest } from "../chunk-tree.ts";
import { rangesOf } from "./chunk-range.ts";
import { receiveArtifact, type DownloadOptions, type Received } from "./download.ts";
import type { ArtifactDraft, DraftPlace } from "./shelf.ts";

/** Chunks taken at once of the work. */
const takenMax = 100_000;

export interface PeerSourceOptions extends Omit<DownloadOptions, "place" | "signal"> {
  readonly onReceived?: (received: Received) => void;
}

export class PeerSource implements ChunkSource {
  readonly name = "the other agents";
  readonly #options: PeerSourceOptions;

  constructor(options: PeerSourceOptions) {
    this.#options = options;
  }

  async bring(work: ChunkWork, signal: AbortSignal): Promise<SourceEnd> {
    for (;;) {
      const place = new WorkPlace(work);
      const received = await receiveArtifact(work.artifact, { ...this.#options, place, signal });
      if (!received.ok)
        return { kind: "unavailable", message: received.refusal.message, passes: !signal.aborted };
      this.#options.onReceived?.(received.value);
      // What others had taken and put back meanwhile.
      const more = work.take({ countMax: 1 });
      if (more === null) return { kind: "done" };
      work.putBack(more);
      if (more.length === 0) await work.changed();
    }
  }
}

/** The work as a place for what is received: everything in it is taken, and what did not come is put back. */
class WorkPlace implements DraftPlace {
  readonly #work: ChunkWork;
  readonly #wanted = new Map<number, WantedChunk>();

  constructor(work: ChunkWork) {
    this.#work = work;
  }

  node(): Promise<Bytes | null> {
    return Promise.resolve(null);
  }

  async begin(_artifact: string, bytes: number, nodes: readonly Bytes[]): Promise<Outcome<ArtifactDraft>> {
    const byDigest = new Map(nodes.map((node) => [chunkDigest(node), node]));
    for (let isMore = true; isMore;) {
      const taken = this.#work.take({ countMax: takenMax });
      isMore = taken !== null && taken.length > 0;
      for (const chunk of taken ?? []) {
        const node = byDigest.get(chunk.digest);
        const index = chunk.index ?? (nodes.length === 0 ? 0 : null);
        if (index !== null) this.#wanted.set(index, chunk);
        else if (node === undefined || !(await this.#work.give(chunk, node))) return this.#contradiction();
        // The only chunk of a small artifact is all there is.
        if (index !== null && chunk.index === null) isMore = false;
      }
    }
    const count = Math.max(1, Math.ceil(bytes / chunkBytesMax));
    const others = Array.from({ length: count }, (_, index) => index).filter(
      (index) => !this.#wanted.has(index),
    );
    return accept({
      held: () => rangesOf(others),
      give: (index, data) => this.#give(index, data),
      finish: () => Promise.resolve(),
      close: () => Promise.resolve(this.#work.putBack([...this.#wanted.values()])),
    });
  }

  async #give(index: number, data: Bytes): Promise<boolean> {
    const chunk = this.#wanted.get(index);
    if (chunk === undefined) return true;
    const isRight = await this.#work.give(chunk, data);
    if (isRight) this.#wanted.delete(index);
    return isRight;
  }

  #contradiction() {
    this.#work.putBack([...this.#wanted.values()]);
    return refuse("invalid", `the nodes of ${this.#work.artifact.slice(0, 12)} contradict each other`);
  }
}
