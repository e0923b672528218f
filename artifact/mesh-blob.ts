/** Bytes into the mesh, for the command line: what a bus may throw becomes a sentence. Files, also out of it: `mesh-file.ts`. */
import { BusError, type Bus, type Bytes } from "../protocol/bus/bus.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { streamsOf, subjectsOf } from "../protocol/subjects.ts";
import type { BlobPlace } from "./blob.ts";
import { chunkBytesMax, TreeHash } from "./chunk-tree.ts";
import { sendTree } from "./send-tree.ts";
import { treeOfName } from "./tree-file.ts";

export function placeOf(mesh: string): BlobPlace {
  const { blob, prove } = subjectsOf(mesh);
  return { stream: streamsOf(mesh).blobs, subjectOf: blob, prove };
}

/** True when the bytes had to be sent, false when the mesh had them. Their digest is `artifactName`'s. */
export async function sendBlob(bus: Bus, mesh: string, bytes: Bytes): Promise<Outcome<boolean>> {
  const chunkAt = (index: number) => bytes.subarray(index * chunkBytesMax, (index + 1) * chunkBytesMax);
  const hash = new TreeHash();
  for (let index = 0; index * chunkBytesMax < bytes.length; index++) hash.add(chunkAt(index));
  const { digest, nodes } = hash.end();
  const tree = treeOfName(digest, bytes.length, nodes);
  try {
    const read = (index: number) => Promise.resolve(chunkAt(index));
    return accept(await sendTree(bus, placeOf(mesh), { tree, nodes, read }));
  } catch (error) {
    const refused = refuseBus(error, "sent to the mesh");
    if (refused === null) throw error;
    return refused;
  }
}

/** Null for an error that is not the bus's. */
export function refuseBus(error: unknown, what: string): Outcome<never> | null {
  if (!(error instanceof BusError)) return null;
  return refuse(
    error.kind === "denied" ? "forbidden" : "unavailable",
    `the data cannot be ${what}: ${error.message}`,
  );
}
