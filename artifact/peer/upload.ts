/**
 * Answers what other machines ask of the artifacts here: what is held of one, its nodes, its chunks. The owner says to how many
 * at once and how fast. Not here: who may connect (`peer-door.ts`).
 *
 * UPLOAD-3: of the chunks that somebody would take, those are sent that were sent least often; so many who receive at once get
 * different ones, and give them to each other.
 */
import type { Clock } from "../../protocol/time/clock.ts";
import type { Digest } from "../../protocol/id.ts";
import { chunkBytesMax } from "../chunk-tree.ts";
import { chunksOf, rangesOf, type ChunkRange } from "./chunk-range.ts";
import type { FramePace } from "./peer-link.ts";
import { bulkHeadBytes, frameHeadBytes } from "./peer-message.ts";
import type { Shelf, ShelvedArtifact } from "./shelf.ts";
import { UploadRate } from "./upload-rate.ts";
import { UploadSlots } from "./upload-slot.ts";

export interface UploadLimits {
  /** Machines that are served at once. */
  readonly slots: number;
  /** In all; null for as fast as it goes. */
  readonly bytesPerSecond: number | null;
}

const defaultLimits: UploadLimits = { slots: 4, bytesPerSecond: null };

export interface UploadOptions {
  readonly shelf: Shelf;
  readonly clock: Clock;
  readonly limits?: UploadLimits;
  /** Whether this machine may have it. */
  readonly allows?: (peer: string, artifact: Digest) => boolean;
}

/** Artifacts of which it is remembered what was sent how often. */
const countedMax = 64;
/** Room for a chunk and what stands before it in its frame, so that it is sent as it was read. */
export const chunkFrameBytesMax = frameHeadBytes + bulkHeadBytes + chunkBytesMax;
/** Buffers that are kept for the next chunk. */
const spareMax = 16;

export class Upload {
  readonly slots: UploadSlots;
  readonly clock: Clock;
  /** Questions of what comes here, on all links. */
  watchers = 0;
  /** Bytes of chunks that have left. */
  sentBytes = 0;
  readonly #options: UploadOptions;
  readonly #sent = new Map<Digest, Uint16Array>();
  readonly #spare: Buffer[] = [];
  #rate: UploadRate | null;

  constructor(options: UploadOptions) {
    this.#options = options;
    this.clock = options.clock;
    const { bytesPerSecond, slots } = options.limits ?? defaultLimits;
    this.slots = new UploadSlots(slots);
    this.#rate = bytesPerSecond === null ? null : new UploadRate(options.clock, bytesPerSecond);
  }

  /** From now on, also for what is being sent. */
  change({ bytesPerSecond, slots }: UploadLimits): void {
    this.slots.change(slots);
    if (bytesPerSecond === null) {
      this.#rate?.change(Infinity);
      this.#rate = null;
    } else if (this.#rate === null) this.#rate = new UploadRate(this.clock, bytesPerSecond);
    else this.#rate.change(bytesPerSecond);
  }

  get pace(): FramePace | null {
    return this.#rate;
  }

  allows(peer: string, artifact: Digest): boolean {
    return this.#options.allows?.(peer, artifact) ?? true;
  }

  open(artifact: Digest): Promise<ShelvedArtifact | null> {
    return this.#options.shelf.open(artifact);
  }

  /** At most `most` of these chunks that are here, rising; they count as sent. */
  choose(digest: Digest, artifact: ShelvedArtifact, ranges: readonly ChunkRange[], most: number): number[] {
    const sent = this.#countsOf(digest, artifact);
    const here = [...chunksOf(ranges)].filter((index) => artifact.holds(index));
    const chosen = here
      .toSorted((a, b) => (sent[a] ?? 0) - (sent[b] ?? 0))
      .slice(0, most)
      .toSorted((a, b) => a - b);
    // Named twice, it is sent once.
    const once = [...chunksOf(rangesOf(new Set(chosen)))];
    for (const index of once) sent[index] = Math.min(2 ** 16 - 1, (sent[index] ?? 0) + 1);
    return once;
  }

  takeBuffer(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(chunkFrameBytesMax);
  }

  giveBuffer(buffer: Buffer): void {
    if (this.#spare.length < spareMax) this.#spare.push(buffer);
  }

  #countsOf(digest: Digest, artifact: ShelvedArtifact): Uint16Array {
    const chunks = Math.max(1, Math.ceil(artifact.bytes / chunkBytesMax));
    const counts = this.#sent.get(digest) ?? new Uint16Array(chunks);
    this.#sent.delete(digest);
    this.#sent.set(digest, counts);
    const oldest = this.#sent.keys().next();
    if (this.#sent.size > countedMax && oldest.done !== true) this.#sent.delete(oldest.value);
    return counts;
  }
}
