/** Keeps an artifact from what lets artifacts go: this machine's quota, and the mesh's collection. */
import { isInMesh } from "../../artifact/blob.ts";
import { placeOf, refuseBus } from "../../artifact/mesh-blob.ts";
import type { Digest } from "../../protocol/id.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { refuseDisk } from "../../system/system-error.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import type { ArtifactDesk } from "./artifact-desk.ts";

export interface PinnedArtifact {
  readonly digest: Digest;
  readonly pinned: boolean;
  /** Whether its bytes are on this machine. */
  readonly here: boolean;
  /** Whether it is pinned in the mesh's store, too; null where that was not asked. */
  readonly inMesh: boolean | null;
}

/** In the mesh's store only what lies there is pinned: nobody else could bring it. */
export async function pinArtifact(
  desk: ArtifactDesk,
  digest: Digest,
  pinned: boolean,
): Promise<Outcome<PinnedArtifact>> {
  const { mesh, store } = desk;
  try {
    if (pinned) store.pins.add(digest);
    else store.pins.remove(digest);
  } catch (error) {
    return refuseDisk(error, "write", store.folder);
  }
  const here = store.entry(digest) !== null;
  if (mesh === null) return accept({ digest, pinned, here, inMesh: null });
  try {
    if (pinned && !(await isInMesh(mesh.bus, placeOf(mesh.home.mesh), digest)))
      return accept({ digest, pinned, here, inMesh: false });
  } catch (error) {
    const refused = refuseBus(error, "looked for in the mesh");
    if (refused === null) throw error;
    return refused;
  }
  const inMesh = await pinInMesh(mesh, digest, pinned);
  return inMesh.ok ? accept({ digest, pinned, here, inMesh: inMesh.value }) : inMesh;
}

/** Whether it is pinned there now. A mesh of before collects nothing, and knows of no pins. */
export async function pinInMesh(
  { client }: Connected,
  digest: Digest,
  pinned: boolean,
): Promise<Outcome<boolean>> {
  const answer = pinned
    ? await client.command("artifact-pin", { digest, why: "", forMs: null })
    : await client.command("artifact-unpin", { digest });
  if (answer.ok) return accept(pinned);
  if (answer.refusal.code === "unknown") return accept(false);
  // It was pinned on this machine alone.
  return !pinned && answer.refusal.code === "conflict" ? accept(false) : answer;
}
