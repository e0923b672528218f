/** The bytes of an artifact in memory, brought into this machine's store where they are not there yet: for commands that read a model. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { artifactFolder, openArtifactStore } from "../../artifact/store/open-artifact-store.ts";
import type { Bytes } from "../../protocol/bus/bus.ts";
import { bytesPerGiB } from "../../protocol/byte-unit.ts";
import { digestSchema, type Digest } from "../../protocol/id.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { refuseDisk } from "../../system/system-error.ts";
import { formatBytes, shortDigest } from "../../text/figure.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { bringArtifact } from "./bring-artifact.ts";

/** Nothing larger is read into memory. */
const bytesInMemoryMax = bytesPerGiB;

export async function fetchBytes(mesh: Connected, digest: Digest): Promise<Outcome<Bytes>> {
  // It becomes the name of a file.
  if (!digestSchema.safeParse(digest).success)
    return refuse("invalid", "the mesh names the artifact by something that is no digest");
  const folder = join(mesh.home.path, artifactFolder);
  const store = openArtifactStore({ folder, clock: systemClock, quotaBytes: null });
  if (!store.ok) return store;
  try {
    const quiet = () => undefined;
    const held = await bringArtifact({ store: store.value, mesh, named: [] }, digest, quiet, quiet);
    if (!held.ok) return held;
    const { bytes, path } = held.value;
    try {
      return bytes > bytesInMemoryMax ? tooLarge(digest, bytes) : accept(await readFile(path));
    } catch (error) {
      return refuseDisk(error, "read", path);
    } finally {
      held.value.release();
    }
  } finally {
    await store.value.close();
  }
}

function tooLarge(digest: Digest, bytes: number): Outcome<never> {
  return refuse(
    "unavailable",
    `artifact ${shortDigest(digest)} has ${formatBytes(bytes)}, more than this command reads into memory (${formatBytes(bytesInMemoryMax)})`,
  );
}
