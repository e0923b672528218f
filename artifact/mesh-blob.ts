/** Bytes into the mesh and out of it, for the command line: what a bus may throw becomes a sentence. Files: `mesh-file.ts`. */
import { setTimeout as sleep } from "node:timers/promises";
import { bytesPerGiB } from "../protocol/byte-unit.ts";
import { BusError, type Bus, type Bytes } from "../protocol/bus/bus.ts";
import type { Digest } from "../protocol/id.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { streamsOf, subjectsOf } from "../protocol/subjects.ts";
import { formatBytes, shortDigest } from "../text/figure.ts";
import { ArtifactTree } from "./artifact-tree.ts";
import type { BlobPlace, BlobReading } from "./blob.ts";
import { chunkBytesMax, startsAsNode, TreeHash } from "./chunk-tree.ts";
import { readBlob } from "./read-blob.ts";
import { inTurns, sendTree } from "./send-tree.ts";
import { treeOfName } from "./tree-file.ts";

/** Nothing larger is read into memory. */
const bytesInMemoryMax = bytesPerGiB;

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

/** The bytes of this digest, verified. */
export async function fetchBlob(bus: Bus, mesh: string, digest: Digest): Promise<Outcome<Bytes>> {
  const what = `artifact ${shortDigest(digest)}`;
  try {
    const reading = await readWhole(bus, placeOf(mesh), digest);
    switch (reading.kind) {
      case "read":
        return accept(reading.bytes);
      case "missing":
      case "incomplete":
        return refuse("unavailable", `${what} is not in the mesh's store`);
      case "corrupt":
        return refuse(
          "conflict",
          `${what} was damaged in the mesh's store, and no agent that runs has it whole`,
        );
      case "too-large":
        return refuse(
          "unavailable",
          `${what} has ${formatBytes(reading.bytes)}, more than this command reads into memory (${formatBytes(reading.maxBytes)})`,
        );
    }
  } catch (error) {
    const refused = refuseBus(error, "read from the mesh");
    if (refused === null) throw error;
    return refused;
  }
}

async function readWhole(bus: Bus, place: BlobPlace, digest: Digest): Promise<BlobReading> {
  const read = (one: Digest, maxBytes: number) => readBlob(bus, place, one, (ms) => sleep(ms), { maxBytes });
  // One chunk, a tree's root, or all of it in one piece, as it once was.
  const root = await read(digest, bytesInMemoryMax);
  if (root.kind !== "read" || root.bytes.length > chunkBytesMax || !startsAsNode(root.bytes)) return root;
  const tree = new ArtifactTree(digest);
  const noTree: BlobReading = { kind: "corrupt", message: `${digest} is the root of no tree` };
  if (tree.takeRoot(root.bytes) === null || tree.bytes === null) return noTree;
  if (tree.bytes > bytesInMemoryMax)
    return { kind: "too-large", bytes: tree.bytes, maxBytes: bytesInMemoryMax };
  for (const node of tree.wantedNodes()) {
    const found = await read(node.digest, chunkBytesMax);
    if (found.kind !== "read") return found;
    if (!tree.takeNode(node, found.bytes)) return noTree;
  }
  const bytes = new Uint8Array(tree.bytes);
  const fault: { reading: BlobReading | null } = { reading: null };
  await inTurns(tree.chunkCount, 0, async (index) => {
    if (fault.reading !== null) return;
    const found = await read(tree.chunk(index), chunkBytesMax);
    if (found.kind !== "read") fault.reading = found;
    else if (found.bytes.length !== tree.bytesOf(index) || !tree.mayBe(found.bytes)) fault.reading = noTree;
    else bytes.set(found.bytes, index * chunkBytesMax);
  });
  return fault.reading ?? { kind: "read", bytes };
}

/** Null for an error that is not the bus's. */
export function refuseBus(error: unknown, what: string): Outcome<never> | null {
  if (!(error instanceof BusError)) return null;
  return refuse(
    error.kind === "denied" ? "forbidden" : "unavailable",
    `the data cannot be ${what}: ${error.message}`,
  );
}
