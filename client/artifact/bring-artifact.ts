/** Brings an artifact onto this machine, from agents or out of the mesh's store; and where to somebody wants it. */
import { constants } from "node:fs";
import { copyFile, rename, rm, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fetchArtifact } from "../../artifact/cache/fetch-artifact.ts";
import { isFolderFile, unpackFolder } from "../../artifact/folder/unpack-folder.ts";
import { receivedLines } from "../../artifact/peer/received-line.ts";
import { placeOf, refuseBus } from "../../artifact/mesh-blob.ts";
import { MeshSource } from "../../artifact/mesh-source.ts";
import { readPlain } from "../../artifact/read-plain.ts";
import type { HeldArtifact } from "../../artifact/store/artifact-store.ts";
import { refuseStored } from "../../artifact/store/open-artifact-store.ts";
import { PartError, type PartFile } from "../../artifact/store/part-file.ts";
import type { Digest } from "../../protocol/id.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { partSuffix } from "../../system/partial-file.ts";
import { refuseDisk } from "../../system/system-error.ts";
import { shortDigest } from "../../text/figure.ts";
import type { ArtifactDesk } from "./artifact-desk.ts";
import { isBundleFile, placeBundle } from "./place-bundle.ts";
import { PersonPeers } from "./person-peer.ts";

const busyPauseMs = 500;

/** Hears of an artifact that is being brought: bytes that are here, of how many, and from how many agents just now. */
export type Progress = (here: number, of: number, agents: number) => void;

/** The artifact, held: from this machine's store, or brought there. On a full disk nothing of it stays. */
export async function bringArtifact(
  { mesh, store }: ArtifactDesk,
  digest: Digest,
  say: (line: string) => void,
  progress: Progress,
): Promise<Outcome<HeldArtifact>> {
  let agents = 0;
  const peers =
    mesh === null
      ? null
      : new PersonPeers(mesh, {
          onProgress: (made) => (agents = made.peers),
          onReceived: (artifact, received) => receivedLines(artifact, received).forEach(say),
        });
  try {
    for (;;) {
      const held = await store.hold(digest);
      if (held !== null) return accept(held);
      if (mesh === null || peers === null)
        return refuse(
          "unavailable",
          `artifact ${shortDigest(digest)} is not here, and the mesh cannot be asked`,
        );
      const { bus, home } = mesh;
      const place = placeOf(home.mesh);
      const pause = (ms: number) => sleep(ms);
      const fetched = await fetchArtifact(store, digest, {
        sources: [peers, new MeshSource({ bus, place, pause })],
        readPlain: async () => {
          const read = await readPlain(bus, place, digest, pause, (pieces) => store.addPlain(digest, pieces));
          return read.kind === "read" ? read.taken : read;
        },
        signal: new AbortController().signal,
        say,
        onWork: (work) => watch(work, (here, of) => progress(here, of, agents)),
      });
      if (fetched.kind === "here") return accept(fetched.held);
      if (fetched.kind === "failed")
        return refuse(fetched.isDamaged ? "conflict" : "unavailable", fetched.message);
      await sleep(busyPauseMs);
    }
  } catch (error) {
    store.giveUp(digest);
    if (error instanceof PartError)
      return refuse("unavailable", `artifact ${shortDigest(digest)}: ${error.message}`);
    return refuseBus(error, "read from the mesh") ?? refuseStored(error, store.folder);
  } finally {
    await peers?.close();
  }
}

const progressMs = 1_000;

function watch(work: PartFile, progress: (here: number, of: number) => void): void {
  const timer = setInterval(() => {
    if (work.isOver) clearInterval(timer);
    else if (work.bytes !== null) progress(work.bytesHere, work.bytes);
  }, progressMs);
  timer.unref();
}

/** Puts it where somebody wants it: a file, or a folder with all that is in it. Nothing stands there yet, and nothing half of it is left there. */
export async function placeArtifact(
  held: HeldArtifact,
  out: string,
): Promise<Outcome<{ readonly kind: "file" | "folder"; readonly files: number }>> {
  const path = resolve(out);
  const draft = `${path}${partSuffix}`;
  try {
    if ((await stat(path).catch(() => null)) !== null)
      return refuse("conflict", `${out} is there already; name another place with --out`);
    if (isFolderFile(held.path)) {
      const unpacked = await unpackFolder(held, path);
      return unpacked.ok ? accept({ kind: "folder", files: unpacked.value.files }) : unpacked;
    }
    if (await isBundleFile(held.path)) {
      const placed = await placeBundle(held.path, path);
      return placed.ok ? accept({ kind: "folder", files: placed.value }) : placed;
    }
    await copyFile(held.path, draft, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await rename(draft, path);
    return accept({ kind: "file", files: 1 });
  } catch (error) {
    return refuseDisk(error, "write", path);
  } finally {
    await rm(draft, { force: true });
  }
}
