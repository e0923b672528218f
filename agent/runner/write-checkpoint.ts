/** Writes a checkpoint so that a crash leaves either all of it or nothing under its name. */
import { createHash } from "node:crypto";
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import type { CheckpointFile } from "./runner.ts";

/** `<dir>/<name>.safetensors`, by way of a temporary name and a flush to disk. */
export async function writeCheckpoint(bytes: Uint8Array, dir: string, name: string): Promise<CheckpointFile> {
  const path = join(dir, `${name}.safetensors`);
  const temporary = `${path}.part`;
  await mkdir(dir, { recursive: true });
  const file = await open(temporary, "w");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  return { path, digest: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length };
}
