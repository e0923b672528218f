/** Opens a machine's store of artifacts; why not, in a sentence. */
import { readdir, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { refuse, accept, type Outcome } from "../../protocol/refusal.ts";
import { StoreError } from "../../store/store.ts";
import { refuseDisk } from "../../system/system-error.ts";
import { ArtifactStore, type ArtifactStoreOptions } from "./artifact-store.ts";

/** Its folder in a mesh's home. */
export const artifactFolder = "artifacts";

export function openArtifactStore(options: ArtifactStoreOptions): Outcome<ArtifactStore> {
  try {
    return accept(new ArtifactStore(options));
  } catch (error) {
    return refuseStored(error, options.folder);
  }
}

/** What the index or the disk threw; an error of another kind is thrown on. */
export function refuseStored(error: unknown, folder: string): Outcome<never> {
  return error instanceof StoreError
    ? refuse("unavailable", error.message)
    : refuseDisk(error, "write", folder);
}

/** Takes in what an agent's cache held before machines had one store: its files are read when they are asked for, as all are. */
export async function adoptCache(store: ArtifactStore, folder: string): Promise<void> {
  for (const two of await namesIn(folder, /^[0-9a-f]{2}$/)) {
    for (const digest of await namesIn(join(folder, two), /^[0-9a-f]{64}$/)) {
      const path = join(folder, two, digest);
      const { size } = await stat(path);
      store.adopt(digest, path, size);
    }
    await rmdir(join(folder, two)).catch(() => undefined);
  }
}

async function namesIn(folder: string, pattern: RegExp): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => pattern.test(name));
}
