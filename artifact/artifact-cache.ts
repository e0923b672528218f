/** Where an agent gets artifacts from and brings them to. By digest only; every read is verified. */
import type { Digest, Fence } from "../protocol/id.ts";
import type { ReplicaOrder } from "../protocol/order.ts";
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
  /** The bytes of a small file of this machine, of a runner's; null where they are not there or not of this digest. */
  read(path: string, digest: Digest): Promise<Uint8Array | null>;
  /** Takes bytes in that are in memory; path of their file, which stays until `clear`. Throws where the disk does not take them. */
  keep(digest: Digest, bytes: Uint8Array, fence: Fence): Promise<string>;
  /**
   * Takes a file in, or `content` where there is none, and puts it into the mesh's store, or has another agent hold it too where it is a
   * large checkpoint of the lease `made`; resolves when it is there. Throws BusError while it cannot.
   */
  share(path: string, digest: Digest, content?: Uint8Array, made?: Fence): Promise<void>;
  /** The mesh's store has lost these bytes: where they are here, or are `content`, they are put there again, a little later. */
  offer(digest: Digest, content?: Uint8Array): void;
  /** Nothing refers to these bytes any more: they go, but where they were of use lately. Absent where nothing is kept. */
  drop?(digest: Digest): void;
  /** A coordinator's word about checkpoints that lie at agents. `isWilling`: the owner lets the machine be used. Absent where none are held. */
  replica?(order: Pick<ReplicaOrder, "take" | "release" | "store">, isWilling: boolean): void;
}
