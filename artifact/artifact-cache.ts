/** Where an agent gets artifacts from and brings them to. By digest only; every read is verified. */
import type { Digest, Fence } from "../protocol/id.ts";
import type { Outcome } from "../protocol/refusal.ts";

export interface ArtifactCache {
  /** Folder in which the runner of one attempt writes its checkpoints. */
  workDirOf(fence: Fence): string;
  /** The attempt is over: what it left in its folder goes. What was shared stays in the cache. */
  clear(fence: Fence): void;
  /** Path of the file with these bytes, where the mesh's store was seen to hold them lately; else null. It stays until `clear`. */
  kept(digest: Digest, fence: Fence): string | null;
  /** Path of a local file with exactly these bytes, fetched from the mesh where it is not here yet. It stays until `clear`. */
  fetch(digest: Digest, fence: Fence): Promise<Outcome<string>>;
  /** Takes a file in and puts it into the mesh's store; resolves when it is there. Throws BusError while it cannot. */
  share(path: string, digest: Digest): Promise<void>;
  /** The mesh's store has lost these bytes: where they are here they are put there again, a little later. */
  offer(digest: Digest): void;
}
