/**
 * Writes a checkpoint so that a crash of this process leaves either all of it or nothing under its name.
 * Not flushed to disk: it is durable once it is in the mesh's store, and an agent empties its work folder at start.
 */
import { join } from "node:path";
import { artifactName } from "../../artifact/name-artifact.ts";
import { writeWhole } from "../../system/whole-file.ts";
import type { CheckpointFile, Kept } from "./runner.ts";
import { makeFolder } from "../../system/make-folder.ts";

/**
 * `<dir>/<name>.safetensors`, by way of a temporary name. Where `kept` knows a file with these bytes it is that one:
 * on a disk that others keep flushing, making a file waits for their flush.
 */
export async function writeCheckpoint(
  bytes: Uint8Array,
  dir: string,
  name: string,
  kept: Kept = () => null,
): Promise<CheckpointFile> {
  const digest = artifactName(bytes);
  const known = kept(digest);
  if (known !== null) return { path: known, digest, bytes: bytes.length };
  const path = join(dir, `${name}.safetensors`);
  await makeFolder(dir);
  await writeWhole(path, bytes, { flush: false });
  return { path, digest, bytes: bytes.length };
}
