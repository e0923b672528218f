/**
 * Writes a checkpoint so that a crash of this process leaves either all of it or nothing under its name.
 * Not flushed to disk: it is durable once it is in the mesh's store, and an agent empties its work folder at start.
 */
import { join } from "node:path";
import { artifactName } from "../../artifact/name-artifact.ts";
import { writeWhole } from "../../system/whole-file.ts";
import type { CheckpointFile, Kept } from "./runner.ts";
import { makeFolder } from "../../system/make-folder.ts";

/** Where a file need not be made: on a disk that others keep flushing, that waits for their flush. */
export interface Spared {
  /** Knows a file with these bytes: it is that one. */
  readonly kept?: Kept | undefined;
  /** Up to so many bytes stay in memory, for whoever takes them in this process. */
  readonly heldBytesMax?: number | undefined;
}

/** `<dir>/<name>.safetensors`, by way of a temporary name. */
export async function writeCheckpoint(
  bytes: Uint8Array,
  dir: string,
  name: string,
  { heldBytesMax = -1, kept = () => null }: Spared = {},
): Promise<CheckpointFile> {
  const digest = artifactName(bytes);
  const path = join(dir, `${name}.safetensors`);
  if (bytes.length <= heldBytesMax) return { path, digest, bytes: bytes.length, content: bytes };
  const known = kept(digest);
  if (known !== null) return { path: known, digest, bytes: bytes.length };
  await makeFolder(dir);
  await writeWhole(path, bytes, { flush: false });
  return { path, digest, bytes: bytes.length };
}
