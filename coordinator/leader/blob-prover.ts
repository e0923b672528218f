/**
 * Says of a blob whether its bytes are what its digest names, and removes it where they are not: so nobody can make a
 * digest unusable by storing something else under it. Nothing is taken on anybody's word; what is right stays so until
 * somebody doubts it, since a stored chunk cannot be written again, and is remembered. What is wanted and not whole is asked for.
 */
import { getBlob, proveBlob, putBlob, type ProofState } from "../../artifact/blob.ts";
import { removeBlob } from "../../artifact/blob-inventory.ts";
import { chunkBytesMax, readNode } from "../../artifact/chunk-tree.ts";
import { placeOf } from "../../artifact/mesh-blob.ts";
import { BusError, type Bus, type Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import { wantedMax } from "../../protocol/order.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { PackStore } from "./pack-store.ts";

/** Digests found right, the oldest forgotten first. */
const provedMax = 10_000;
/** A doubted blob is read again, and asked for, once in this time, ms: nobody keeps a coordinator reading. */
const doubtedMs = 10_000;
/** So long bytes are asked for that the store has lost. */
const wantedMs = 15_000;
/** What somebody was told is remembered for so long: longer than anybody uploads. */
const toldMs = 7 * 24 * 3_600_000;

export interface BlobProverOptions {
  readonly bus: Bus;
  readonly mesh: string;
  readonly clock: Clock;
  /** Where the bytes of small checkpoints lie; absent where there are no packs. */
  readonly packs?: Pick<PackStore, "read" | "readAgain">;
  /** The pack of a digest; undefined where it lies in none. */
  readonly packOf?: (digest: Digest) => number | undefined;
  readonly log: (line: string) => void;
  /** Of what was collected and is not yet removed: the sequence that its messages are below; else null. */
  readonly leavesBefore: (digest: Digest) => number | null;
  /** It has been collected, and nobody need look for it. */
  readonly isGone: (digest: Digest) => boolean;
  /** Told of each that was removed here: it may come again at once. */
  readonly onRemoved?: (digest: Digest) => void;
}

export class BlobProver {
  readonly #options: BlobProverOptions;
  readonly #proved = new Set<Digest>();
  /** When each was last doubted, oldest first, and whether it is missed since. */
  readonly #doubted = new Map<Digest, { readonly at: number; readonly missed: boolean }>();
  /** When somebody was told last that each is there, oldest first. */
  readonly #told = new Map<Digest, number>();

  constructor(options: BlobProverOptions) {
    this.#options = options;
  }

  /** By which those who ask are counted too. */
  get clock(): Clock {
    return this.#options.clock;
  }

  /** Throws BusError. */
  async prove(digest: Digest): Promise<ProofState> {
    const { bus, leavesBefore, mesh } = this.#options;
    for (;;) {
      // GC-5: what is being removed is removed first, so that whoever asks stores what they have anew.
      const before = leavesBefore(digest);
      if (before !== null) {
        this.#proved.delete(digest);
        await removeBlob(bus, placeOf(mesh), digest, before);
        this.#options.onRemoved?.(digest);
      }
      const state = await this.#read(digest);
      if (state !== "right") return state;
      // It may have been collected while it was read.
      if (before === null && leavesBefore(digest) !== null) continue;
      this.tell(digest);
      return state;
    }
  }

  /** GC-5: somebody was told within this time, ms, that it is there, and may be about to refer to it. */
  wasTold(digest: Digest, withinMs: number): boolean {
    const at = this.#told.get(digest);
    return at !== undefined && this.#options.clock.monotonic() - at < withinMs;
  }

  /** GC-5: somebody counts on its being there. */
  tell(digest: Digest): void {
    const now = this.#options.clock.monotonic();
    this.#told.delete(digest);
    this.#told.set(digest, now);
    for (const [old, at] of this.#told) {
      if (now - at < toldMs) break;
      this.#told.delete(old);
    }
  }

  async #read(digest: Digest): Promise<ProofState> {
    if (this.#proved.has(digest)) return "right";
    const { bus, log, mesh } = this.#options;
    const place = placeOf(mesh);
    const state = await proveBlob(bus, place, digest);
    if (state === "wrong") {
      await this.#remove(digest);
      this.#options.onRemoved?.(digest);
      log(`artifact ${digest.slice(0, 12)} was not what its digest says, and was removed`);
    }
    if (state === "right") {
      this.#proved.add(digest);
      const [oldest] = this.#proved;
      if (this.#proved.size > provedMax && oldest !== undefined) this.#proved.delete(oldest);
    }
    return state;
  }

  /** PACK-1: its bytes, where they lie in a pack; null where they do not. Throws BusError. */
  async take(digest: Digest): Promise<Bytes | null> {
    const { packOf, packs } = this.#options;
    const pack = packOf?.(digest);
    return pack === undefined || packs === undefined ? null : packs.read(pack, digest);
  }

  /** Whether it can be had as it was stored: from its pack, or by itself. What is in neither is asked for. Throws BusError. */
  async look(digest: Digest): Promise<ProofState> {
    const { packOf, packs } = this.#options;
    const pack = packOf?.(digest);
    const packed = pack === undefined || packs === undefined ? null : await packs.readAgain(pack, digest);
    if (packed !== null) return "right";
    return this.proveAgain(digest);
  }

  /**
   * Reads it again, whatever it was before, and asks for its bytes where they are not there. What lies in a pack is put there by itself: who
   * doubts that it is there is of a version that knows of no packs. Throws BusError.
   */
  async proveAgain(digest: Digest): Promise<ProofState> {
    const { clock, log } = this.#options;
    const now = clock.monotonic();
    for (const [old, { at }] of this.#doubted) if (now - at > wantedMs) this.#doubted.delete(old);
    if (now - (this.#doubted.get(digest)?.at ?? -Infinity) < doubtedMs) return this.prove(digest);
    this.#proved.delete(digest);
    const found = await this.prove(digest);
    const state = found !== "right" && (await this.#unpack(digest)) ? "right" : found;
    const isMissed = state !== "right" && !this.#options.isGone(digest);
    if (isMissed) log(`artifact ${digest.slice(0, 12)} is wanted and is not whole; asking for its bytes`);
    this.#doubted.delete(digest);
    this.#doubted.set(digest, { at: now, missed: isMissed });
    return state;
  }

  /** What lies below a node of an artifact's tree; nothing below a chunk, and nothing where it cannot be read. Throws BusError. */
  async below(digest: Digest): Promise<readonly Digest[]> {
    const { bus, mesh } = this.#options;
    const reading = await getBlob(bus, placeOf(mesh), digest, { maxBytes: chunkBytesMax });
    return reading.kind === "read" ? (readNode(reading.bytes)?.children ?? []) : [];
  }

  #remove(digest: Digest): Promise<void> {
    const { bus, mesh } = this.#options;
    const { stream, subjectOf } = placeOf(mesh);
    return bus.removeMessages(stream, `${subjectOf(digest, 0).slice(0, -1)}*`);
  }

  /** False where it lies in no pack, or this coordinator may not store it. */
  async #unpack(digest: Digest): Promise<boolean> {
    const { bus, mesh } = this.#options;
    const content = await this.take(digest);
    if (content === null) return false;
    try {
      // Part of something else may lie there, and whether others' bytes are right is ours to say.
      const { stream, subjectOf } = placeOf(mesh);
      await this.#remove(digest);
      await putBlob(bus, { stream, subjectOf }, content);
      return true;
    } catch (error) {
      if (error instanceof BusError && error.kind === "denied") return false;
      throw error;
    }
  }

  /** Digests that somebody wants and the store does not hold. */
  wanted(): readonly Digest[] {
    const now = this.#options.clock.monotonic();
    const missed = [...this.#doubted].filter(([digest, doubt]) => {
      return doubt.missed && now - doubt.at < wantedMs && !this.#proved.has(digest);
    });
    return missed.slice(-wantedMax).map(([digest]) => digest);
  }
}
