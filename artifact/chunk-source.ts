/**
 * The door between whoever wants an artifact and whoever has it: a source brings chunks of it, a shelf gives them out. Here is what
 * they say to each other and nothing else: how chunks travel is each source's own, where they lie is the store's.
 *
 * A source pulls: it takes chunks that nobody else brings just now, and gives each one in as it comes. So several sources can
 * work on one artifact at once, each at its own pace, and one that ends puts back what it had taken.
 */
import type { Bytes } from "../protocol/bus/bus.ts";
import type { Digest } from "../protocol/id.ts";
import type { NamedChunk } from "./chunk-tree.ts";

export interface WantedChunk {
  /** SHA-256 of its bytes. */
  readonly digest: Digest;
  /** Null for the root of an artifact of which nothing is known yet: a node or its only chunk, of at most `chunkBytesMax`. */
  readonly bytes: number | null;
  /** Its number in the artifact, from 0; null for the root that is not known yet, and for a node. */
  readonly index: number | null;
}

export interface TakeOptions {
  readonly countMax: number;
  /** Chunks are looked for from this number on, and after the last one from the first: receivers that begin apart can serve each other. */
  readonly from?: number;
  /** Whether the source has this chunk; without it, all. Nodes are asked of every source. */
  readonly has?: (index: number) => boolean;
}

/** What is still to be brought of one artifact. */
export interface ChunkWork {
  readonly artifact: Digest;
  /** Of the whole artifact; null until its root is here. */
  readonly bytes: number | null;
  /**
   * Up to `countMax` chunks that are not here and that nobody else has taken, neighbours where there are some; nodes come before what
   * lies below them. Empty: none for this source just now, `changed` says when to ask again. Null: it is over, nothing more is wanted.
   */
  take(options: TakeOptions): readonly WantedChunk[] | null;
  /**
   * Verifies and keeps the bytes of a taken chunk; the buffer may be used again once it resolves, and waiting for it is the only brake.
   * False: they are not what the digest names; the chunk is to be had again, and the source that sent it is to be left.
   */
  give(chunk: WantedChunk, data: Bytes): Promise<boolean>;
  /** Taken and not brought: for others. */
  putBack(chunks: readonly WantedChunk[]): void;
  /** Resolves when there may be something else to take, or it is over. */
  changed(): Promise<void>;
}

/** Why a source brings no more. What it had taken and not given is put back. */
export type SourceEnd =
  /** Nothing more was wanted. */
  | { readonly kind: "done" }
  /** It has not, or no longer, what is still wanted. */
  | { readonly kind: "missing" }
  /** It holds it in one piece, named by the SHA-256 of all its bytes, as artifacts of more than a chunk once were. */
  | { readonly kind: "plain"; readonly bytes: number }
  /** It gave bytes that were not those of the digest. `message`: a sentence. */
  | { readonly kind: "wrong"; readonly message: string }
  /** It cannot be reached, stalls, or refuses. `message`: a sentence. `passes`: it may be there again by itself. */
  | { readonly kind: "unavailable"; readonly message: string; readonly passes: boolean };

export interface ChunkSource {
  /** As people are told where bytes came from: "the mesh's store", "agent basement". */
  readonly name: string;
  /** Brings what it can until the work is over, it has no more, or `signal` ends it. Throws only what is a broken invariant. */
  bring(work: ChunkWork, signal: AbortSignal): Promise<SourceEnd>;
}

/** An artifact that lies here, whole or in part; not evicted until `close`. */
export interface OpenArtifact {
  readonly digest: Digest;
  readonly bytes: number;
  readonly isWhole: boolean;
  /** Top first, then level by level, in order. None for an artifact of one chunk. */
  nodes(): AsyncIterable<NamedChunk>;
  /** Whether chunk `index` is here, verified when it came. */
  has(index: number): boolean;
  /**
   * `count` chunks from `first` on in one read, of which `has` is true; the last may be shorter. As they lie on the disk: who receives
   * them verifies each. `into`: a buffer for them, which what is returned is then a part of. Throws the system's error, and RangeError
   * beyond the end.
   */
  read(first: number, count: number, into?: Bytes): Promise<Bytes>;
  /** Hears of each chunk that comes, from now on; returns its end. */
  onGain(listener: (index: number) => void): () => void;
  /** Somebody received it and it was not what its digest says: read again here, and had again where that is so. */
  doubt(index: number): Promise<void>;
  close(): Promise<void>;
}

/** Where artifacts lie: the local store, for those that ask it from outside. */
export interface ChunkShelf {
  /** Null where nothing of it is here, or its size is not known yet. */
  open(digest: Digest): Promise<OpenArtifact | null>;
}
