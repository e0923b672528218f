/**
 * Writes a checkpoint so that a crash of this process leaves either all of it or nothing under its name.
 * Not flushed to disk: it is durable once it is in the mesh's store, and an agent empties its work folder at start.
 */
import { createHash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CheckpointFile } from "./runner.ts";

/** `<dir>/<name>.safetensors`, by way of a temporary name. */
export async function writeCheckpoint(bytes: Uint8Array, dir: string, name: string): Promise<CheckpointFile> {
  const path = join(dir, `${name}.safetensors`);
  const temporary = `${path}.part`;
  await mkdir(dir, { recursive: true });
  await writeFile(temporary, bytes);
  await rename(temporary, path);
  return { path, digest: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length };
}
