/**
 * Puts an artifact into the mesh's store: each chunk and each node a blob of its own. A window of chunks is in memory, never the whole.
 */
import type { Bus, Bytes } from "../protocol/bus/bus.ts";
import type { Digest } from "../protocol/id.ts";
import type { ArtifactTree } from "./artifact-tree.ts";
import { putBlob, type BlobPlace } from "./blob.ts";
import { chunkBytesMax, chunkDigest, type NamedChunk } from "./chunk-tree.ts";

/** Chunks on their way at once; each is several messages. */
const windowChunks = 4;

export interface SentArtifact {
  readonly tree: ArtifactTree;
  readonly nodes: readonly NamedChunk[];
  /** Chunk `index`, as it lies wherever it lies; good until the next one is asked for with the same `buffer`, which it may be read into. */
  readonly read: (index: number, buffer: Bytes) => Promise<Bytes>;
}

/** A chunk is not, or no longer, what the tree says. */
export class DamagedChunkError extends Error {}

/**
 * Stores what is not there: the chunks, then the nodes, the root last. True where something had to be stored. Throws BusError, what
 * `read` throws and DamagedChunkError; calling it again is always safe and sends what is missing.
 */
export async function sendTree(
  bus: Bus,
  place: BlobPlace,
  { nodes, read, tree }: SentArtifact,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<boolean> {
  let news = 0;
  const put = async (digest: Digest, data: Bytes) => {
    if ((await putBlob(bus, place, data, digest)).stored) news++;
  };
  const sent = new Set<Digest>();
  await inTurns(tree.chunkCount, Math.min(chunkBytesMax, tree.bytes ?? 0), async (index, buffer) => {
    const digest = tree.chunk(index);
    // What repeats is one blob.
    if (!sent.has(digest)) {
      sent.add(digest);
      const data = await read(index, buffer);
      if (chunkDigest(data) !== digest)
        throw new DamagedChunkError(`chunk ${index} is not what its digest says`);
      await put(digest, data);
    }
    onBytes(tree.bytesOf(index));
  });
  const root = nodes.filter(({ digest }) => digest === tree.root);
  for (const { data, digest } of [...nodes.filter((node) => node.digest !== tree.root), ...root])
    await put(digest, data);
  return news > 0;
}

/** Does `work` for 0 to count-1, some at a time, and begins no more once one has thrown. */
async function inTurns(
  count: number,
  bufferBytes: number,
  work: (index: number, buffer: Bytes) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    // One for all of a worker's chunks: what is let go is not given back at once.
    const buffer = Buffer.allocUnsafeSlow(bufferBytes);
    while (next < count) {
      try {
        await work(next++, buffer);
      } catch (error) {
        next = count;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(windowChunks, count) }, worker));
  for (const end of ended) if (end.status === "rejected") throw end.reason;
}
