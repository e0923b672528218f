/** What the transfer needs of whoever keeps artifacts: to read what is here, and to write what comes. Only its shape. */
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { ChunkRange } from "./chunk-range.ts";

/** An artifact of which all or some is here. */
export interface ShelvedArtifact {
  /** Of the whole artifact, bytes. */
  readonly bytes: number;
  /** Rising and apart from each other. */
  readonly held: () => readonly ChunkRange[];
  readonly holds: (index: number) => boolean;
  /** The topmost node or another, or the only chunk of a small artifact, by its digest; null where it is not here. */
  readonly node: (digest: Digest) => Promise<Bytes | null>;
  /** Puts a chunk into the start of `into`, which has room for any; returns its bytes. Throws where it cannot be read. */
  readonly read: (index: number, into: Bytes) => Promise<number>;
  /** Hears of each chunk that comes, from now on; returns its end. */
  readonly onGain: (listener: (index: number) => void) => () => void;
  readonly close: () => void;
}

export interface Shelf {
  readonly open: (artifact: Digest) => Promise<ShelvedArtifact | null>;
}

/** An artifact that is being received. Nothing of it may be taken for whole before `finish`. */
export interface ArtifactDraft {
  /** Chunks that were verified and kept before, in an earlier run too. */
  readonly held: () => readonly ChunkRange[];
  /**
   * Verifies a chunk and keeps it; false where the bytes are not those that its digest names. They are not changed until it
   * resolves. Throws where the disk cannot take it.
   */
  readonly give: (index: number, data: Bytes) => Promise<boolean>;
  /** All chunks are there. */
  readonly finish: () => Promise<void>;
  /** What is kept stays for another time. */
  readonly close: () => Promise<void>;
}

export interface DraftPlace {
  /** A node that an earlier run has kept; verified by whoever asks. */
  readonly node: (artifact: Digest, node: Digest) => Promise<Bytes | null>;
  /** `nodes`: all of the tree, the topmost first; none for an artifact of one chunk. Refuses where there is no room for it. */
  readonly begin: (
    artifact: Digest,
    bytes: number,
    nodes: readonly Bytes[],
  ) => Promise<Outcome<ArtifactDraft>>;
}
