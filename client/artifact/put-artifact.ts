/** Takes a file or a folder into this machine's store, and sends it to the mesh's. */
import { stat } from "node:fs/promises";
import { sendStored } from "../../artifact/cache/send-stored.ts";
import { listForPack, packFolderBytes } from "../../artifact/folder/pack-folder.ts";
import { placeOf, refuseBus } from "../../artifact/mesh-blob.ts";
import { DamagedChunkError } from "../../artifact/send-tree.ts";
import type { AddedArtifact } from "../../artifact/store/artifact-store.ts";
import { refuseStored } from "../../artifact/store/open-artifact-store.ts";
import { PartError } from "../../artifact/store/part-file.ts";
import type { Digest } from "../../protocol/id.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { refuseDisk } from "../../system/system-error.ts";
import type { ArtifactDesk } from "./artifact-desk.ts";
import type { Progress } from "./bring-artifact.ts";
import { pinInMesh } from "./pin-artifact.ts";

export interface PutArtifact {
  readonly digest: Digest;
  readonly bytes: number;
  readonly kind: "file" | "folder";
  /** False where the mesh had all of it; null where it was not asked. */
  readonly sent: boolean | null;
}

export async function putArtifact(
  { mesh, store }: ArtifactDesk,
  path: string,
  progress: Progress,
): Promise<Outcome<PutArtifact>> {
  let isFolder: boolean;
  try {
    const stats = await stat(path);
    isFolder = stats.isDirectory();
    if (!isFolder && !stats.isFile()) return refuse("invalid", `${path} is neither a file nor a folder`);
  } catch (error) {
    return refuseDisk(error, "read", path);
  }
  const before = new Set(store.list());
  try {
    const added = isFolder ? await addFolder(store, path) : accept(await store.addFile(path));
    if (!added.ok) return added;
    const { bytes, digest, held } = added.value;
    const { withheld } = store;
    try {
      // What the mesh knows already was here before.
      if (mesh === null && !before.has(digest)) withheld.add(digest);
      let done = 0;
      const sent =
        mesh === null
          ? null
          : await sendStored(mesh.bus, placeOf(mesh.home.mesh), store, digest, (more) => {
              done += more;
              progress(done, bytes, 0);
            });
      if (mesh !== null) withheld.remove(digest);
      // Nothing on record refers to it yet, and what nothing refers to is collected.
      const pinned = mesh === null ? accept(false) : await pinInMesh(mesh, digest, true);
      return pinned.ok ? accept({ digest, bytes, kind: isFolder ? "folder" : "file", sent }) : pinned;
    } finally {
      held.release();
    }
  } catch (error) {
    if (error instanceof PartError || error instanceof DamagedChunkError)
      return refuse("conflict", `${path}: ${error.message}`);
    return refuseBus(error, "sent to the mesh") ?? refuseStored(error, path);
  }
}

async function addFolder(store: ArtifactDesk["store"], path: string): Promise<Outcome<AddedArtifact>> {
  const listed = await listForPack(path);
  return listed.ok ? accept(await store.addStream(packFolderBytes(listed.value))) : listed;
}
