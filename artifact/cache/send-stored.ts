/** Puts an artifact of the local store into the mesh's store. */
import { readFile } from "node:fs/promises";
import type { Bus } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import { putBlob, type BlobPlace } from "../blob.ts";
import type { NamedChunk } from "../chunk-tree.ts";
import { sendTree } from "../send-tree.ts";
import type { ArtifactStore } from "../store/artifact-store.ts";

/**
 * True where something had to be stored there, null where it is not here. Throws BusError, the system's error and DamagedChunkError.
 */
export async function sendStored(
  bus: Bus,
  place: BlobPlace,
  store: ArtifactStore,
  digest: Digest,
  onBytes?: (bytes: number) => void,
): Promise<boolean | null> {
  const file = await store.openWhole(digest);
  if (file === null) return sendPlain(bus, place, store, digest);
  try {
    const nodes: NamedChunk[] = [];
    for await (const node of file.nodes()) nodes.push(node);
    return await sendTree(
      bus,
      place,
      { nodes, tree: file.tree, read: (index, buffer) => file.read(index, 1, buffer) },
      onBytes,
    );
  } finally {
    await file.close();
  }
}

/** One of before there were trees, as large as they could be then. */
async function sendPlain(
  bus: Bus,
  place: BlobPlace,
  store: ArtifactStore,
  digest: Digest,
): Promise<boolean | null> {
  const held = await store.hold(digest);
  if (held === null) return null;
  try {
    return (await putBlob(bus, place, await readFile(held.path), digest)).stored;
  } finally {
    held.release();
  }
}
