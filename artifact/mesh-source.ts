/**
 * The mesh's store as a source of chunks: each chunk and each node is a blob of its own, so whatever holds for blobs (BLOB-5,
 * BLOB-6) holds for each. How they come there is `send-tree.ts`'s.
 */
import { BusError, type Bus, type Bytes } from "../protocol/bus/bus.ts";
import { errorSentence } from "../protocol/error-sentence.ts";
import { shortDigest } from "../text/figure.ts";
import type { BlobPlace, BlobReading } from "./blob.ts";
import type { ChunkSource, ChunkWork, SourceEnd, WantedChunk } from "./chunk-source.ts";
import { chunkBytesMax } from "./chunk-tree.ts";
import { readBlob } from "./read-blob.ts";

/** Chunks on their way at once, each is several messages. */
const windowChunks = 4;

export const meshStoreName = "the mesh's store";

export interface MeshSourceOptions {
  readonly bus: Bus;
  readonly place: BlobPlace;
  /** Waits between two looks at what is not there. */
  readonly pause: (ms: number) => Promise<void>;
}

export class MeshSource implements ChunkSource {
  readonly name = meshStoreName;
  readonly #options: MeshSourceOptions;

  constructor(options: MeshSourceOptions) {
    this.#options = options;
  }

  async bring(work: ChunkWork, signal: AbortSignal): Promise<SourceEnd> {
    const end = Promise.withResolvers<SourceEnd>();
    let isOver = signal.aborted;
    const stop = (reason: SourceEnd) => {
      isOver = true;
      end.resolve(reason);
    };
    const onAbort = () => stop({ kind: "unavailable", message: "it was given up", passes: false });
    signal.addEventListener("abort", onAbort, { once: true });
    const worker = async (): Promise<void> => {
      // One for all of a worker's chunks: what is let go is not given back at once.
      let buffer: Bytes | undefined;
      while (!isOver) {
        const [chunk] = work.take({ countMax: 1 }) ?? [null];
        if (chunk === null) return stop({ kind: "done" });
        if (chunk === undefined) await Promise.race([work.changed(), end.promise]);
        else {
          if (chunk.index !== null) buffer ??= Buffer.allocUnsafeSlow(chunkBytesMax);
          const why = await this.#bringOne(work, chunk, buffer);
          if (why !== null) stop(why);
        }
      }
    };
    try {
      await Promise.all(Array.from({ length: windowChunks }, worker));
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
    return end.promise;
  }

  /** Null where it was brought. */
  async #bringOne(work: ChunkWork, chunk: WantedChunk, into?: Bytes): Promise<SourceEnd | null> {
    const { bus, pause, place } = this.#options;
    let reading: BlobReading;
    try {
      reading = await readBlob(bus, place, chunk.digest, pause, {
        maxBytes: chunkBytesMax,
        ...(into === undefined ? {} : { into }),
      });
    } catch (error) {
      work.putBack([chunk]);
      if (!(error instanceof BusError)) throw error;
      const passes = error.kind !== "closed" && error.kind !== "denied";
      return { kind: "unavailable", message: errorSentence(error), passes };
    }
    if (reading.kind === "read") {
      if (await work.give(chunk, reading.bytes)) return null;
      return { kind: "wrong", message: `${shortDigest(chunk.digest)} there is part of no tree` };
    }
    work.putBack([chunk]);
    if (reading.kind === "too-large" && work.bytes === null) return { kind: "plain", bytes: reading.bytes };
    if (reading.kind !== "corrupt") return { kind: "missing" };
    return { kind: "wrong", message: "was damaged in the mesh's store, and no agent that runs has it whole" };
  }
}
