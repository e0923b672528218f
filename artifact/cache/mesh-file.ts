/** Files into the mesh and out of it, for the command line: as streams, and what a bus or a disk may throw becomes a sentence. */
import { open, readFile, rename, rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bus, Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { refuseDisk } from "../../system/system-error.ts";
import { partSuffix } from "../../system/partial-file.ts";
import { shortDigest } from "../../text/figure.ts";
import { putBlob } from "../blob.ts";
import type { ChunkSource, SourceEnd } from "../chunk-source.ts";
import { chunkBytesMax } from "../chunk-tree.ts";
import { placeOf, refuseBus } from "../mesh-blob.ts";
import { MeshSource } from "../mesh-source.ts";
import { nameFile } from "../name-artifact.ts";
import { readPlain } from "../read-plain.ts";
import { DamagedChunkError, sendTree } from "../send-tree.ts";
import { DraftFile } from "../store/draft-file.ts";
import { PartError, PartFile } from "../store/part-file.ts";
import { treeOfName } from "../tree-file.ts";

/**
 * Puts the file's bytes into the mesh's store under this digest, which is theirs: the name of their tree or, as artifacts of more than a
 * chunk were once named, the SHA-256 of all of them. True where something had to be sent.
 */
export async function sendFile(
  bus: Bus,
  mesh: string,
  path: string,
  digest: Digest,
): Promise<Outcome<boolean>> {
  try {
    const name = await nameFile(path);
    if (name.digest === digest) return accept(await sendNamed(bus, mesh, path, name));
    if (name.plain === digest)
      return accept((await putBlob(bus, placeOf(mesh), await readFile(path), digest)).stored);
    return refuse("conflict", `${path} is not what its digest says; it was changed or damaged`);
  } catch (error) {
    return refuseEither(error, "read", path, "sent to the mesh");
  }
}

async function sendNamed(
  bus: Bus,
  mesh: string,
  path: string,
  name: Awaited<ReturnType<typeof nameFile>>,
): Promise<boolean> {
  const tree = treeOfName(name.digest, name.bytes, name.nodes);
  const file = await open(path, "r");
  const read = async (index: number, buffer: Bytes): Promise<Bytes> => {
    const { bytesRead } = await file.read(buffer, 0, tree.bytesOf(index), index * chunkBytesMax);
    return buffer.subarray(0, bytesRead);
  };
  try {
    return await sendTree(bus, placeOf(mesh), { tree, nodes: name.nodes, read });
  } finally {
    await file.close();
  }
}

/**
 * Brings the bytes of this digest into a file that is there once they are whole and verified; on a full disk nothing of it stays. `first`: asked
 * before the mesh's store.
 */
export async function fetchFile(
  bus: Bus,
  mesh: string,
  digest: Digest,
  path: string,
  first: readonly ChunkSource[] = [],
  pause: (ms: number) => Promise<unknown> = sleep,
): Promise<Outcome<null>> {
  const draft = path + partSuffix;
  const place = { digest, file: draft, nodes: `${draft}-tree` };
  const waited = async (ms: number) => void (await pause(ms));
  try {
    const part = await PartFile.open(place);
    let end: SourceEnd = { kind: "missing" };
    try {
      for (const source of [...first, new MeshSource({ bus, place: placeOf(mesh), pause: waited })]) {
        end = await source.bring(part, new AbortController().signal);
        if (end.kind === "done" || end.kind === "plain") break;
      }
      if (end.kind === "done") await part.whole();
    } finally {
      await part.close();
    }
    if (end.kind === "plain") {
      const take = (pieces: AsyncIterable<Bytes>) => writePlain(draft, digest, pieces);
      const read = await readPlain(bus, placeOf(mesh), digest, waited, take);
      end = read.kind === "read" ? { kind: "done" } : read;
    }
    if (end.kind !== "done") return refuseEnd(digest, end);
    await rename(draft, path);
    return accept(null);
  } catch (error) {
    return refuseEither(error, "write", path, "read from the mesh");
  } finally {
    for (const left of [place.file, place.nodes]) await rm(left, { force: true });
  }
}

/** Null where they are not the bytes of this digest. */
async function writePlain(path: string, digest: Digest, pieces: AsyncIterable<Bytes>): Promise<true | null> {
  await rm(path, { force: true });
  const draft = await DraftFile.open(path, true);
  for await (const piece of pieces) await draft.write(piece);
  const { nodes, plain } = await draft.end();
  if (nodes !== null) await rm(nodes);
  return plain === digest ? true : null;
}

function refuseEnd(digest: Digest, end: SourceEnd): Outcome<never> {
  const what = `artifact ${shortDigest(digest)}`;
  if (end.kind === "unavailable") return refuse("unavailable", `${what} cannot be read: ${end.message}`);
  return end.kind === "wrong"
    ? refuse("conflict", `${what} was damaged in the mesh's store, and no agent that runs has it whole`)
    : refuse("unavailable", `${what} is not in the mesh's store`);
}

function refuseEither(error: unknown, verb: "read" | "write", path: string, what: string): Outcome<never> {
  if (error instanceof PartError || error instanceof DamagedChunkError)
    return refuse("unavailable", `${path}: ${error.message}`);
  return refuseBus(error, what) ?? refuseDisk(error, verb, path);
}
