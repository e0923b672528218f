/**
 * Which files of a local store were read and found right, and that they are still what they were: so that a large one is not read anew by each who
 * wants it. In memory, of one process. Not what becomes of one that is damaged (`artifact-store.ts`), and not how one is read (`verify-file.ts`).
 *
 * CACHE-1: what has changed since, or was read too long ago, is read again.
 */
import { stat } from "node:fs/promises";
import type { Digest } from "../../protocol/id.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { ArtifactTree } from "../artifact-tree.ts";
import { chunkBytesMax } from "../chunk-tree.ts";
import { readTreeFile } from "../tree-file.ts";
import { ChunkCheck } from "./chunk-check.ts";
import type { StorePlace } from "./store-place.ts";
import { verifyFile, type FileState } from "./verify-file.ts";

/** A large file that has not changed is read again after this long at the latest, ms. */
const trustedMs = 60 * 60_000;
/** A smaller one always. */
export const trustedBytesMin = 16 * chunkBytesMax;

interface Verified {
  readonly identity: string;
  readonly at: number;
  readonly tree: ArtifactTree | null;
}

export class FileTrust {
  readonly #place: StorePlace;
  readonly #clock: Clock;
  /** Large files that were read whole, as they were then. */
  readonly #verified = new Map<Digest, Verified>();
  /** Large files of which parts were read, as they were then. */
  readonly #checks = new Map<Digest, ChunkCheck>();
  /** Those that are being read, so that many who ask at once have it read once. */
  readonly #looking = new Map<Digest, Promise<FileState>>();

  constructor(place: StorePlace, clock: Clock) {
    this.#place = place;
    this.#clock = clock;
  }

  /** Reads it, where that was not done lately. */
  async look(digest: Digest): Promise<FileState> {
    const file = this.#place.file(digest);
    const before = await identityOf(file);
    const now = this.#clock.monotonic();
    const known = foundLately(this.#verified.get(digest), before, now);
    if (known !== null && before !== null) return { kind: "right", bytes: before.bytes, tree: known.tree };
    this.#verified.delete(digest);
    const looking = this.#looking.get(digest) ?? this.verify(digest);
    this.#looking.set(digest, looking);
    const state = await looking.finally(() => this.#looking.delete(digest));
    if (state.kind === "right" && state.bytes >= trustedBytesMin && before !== null)
      this.#verified.set(digest, { identity: before.text, at: now, tree: state.tree });
    return state;
  }

  /** Reads all of it, changes nothing. Throws the system's error. */
  verify(digest: Digest, onBytes?: (bytes: number) => void): Promise<FileState> {
    const place = { digest, file: this.#place.file(digest), nodes: this.#place.nodes(digest) };
    return verifyFile(place, onBytes);
  }

  /** Its bytes have all been read just now. */
  async trust(digest: Digest, tree: ArtifactTree | null): Promise<void> {
    const identity = await identityOf(this.#place.file(digest));
    if (identity !== null && identity.bytes >= trustedBytesMin)
      this.#verified.set(digest, { identity: identity.text, at: this.#clock.monotonic(), tree });
  }

  /** Null where all of it was read lately, or has to be: its tree is not here, or it is not as large as that says. */
  async checkOf(digest: Digest): Promise<ChunkCheck | null> {
    const identity = await identityOf(this.#place.file(digest));
    const now = this.#clock.monotonic();
    if (foundLately(this.#verified.get(digest), identity, now) !== null) return null;
    const known = foundLately(this.#checks.get(digest), identity, now);
    if (known !== null) return known;
    this.#checks.delete(digest);
    const tree = new ArtifactTree(digest);
    const isRead = (await readTreeFile(this.#place.nodes(digest), tree)) === true;
    if (!isRead || [...tree.wantedNodes()].length > 0 || identity?.bytes !== tree.bytes) return null;
    const check = this.#checks.get(digest) ?? new ChunkCheck(tree, identity.text, now);
    this.#checks.set(digest, check);
    return check;
  }

  /** It goes, or is damaged. */
  forget(digest: Digest): void {
    this.#verified.delete(digest);
    this.#checks.delete(digest);
  }
}

/** What was found of a file, where the file is still what it was and that is not long ago. */
function foundLately<F extends { readonly identity: string; readonly at: number }>(
  found: F | undefined,
  now: { readonly text: string } | null,
  nowMs: number,
): F | null {
  const isSame = found !== undefined && found.identity === now?.text && nowMs - found.at < trustedMs;
  return isSame ? found : null;
}

async function identityOf(path: string): Promise<{ readonly text: string; readonly bytes: number } | null> {
  try {
    const { ctimeNs, ino, mtimeNs, size } = await stat(path, { bigint: true });
    return { text: `${ino} ${size} ${mtimeNs} ${ctimeNs}`, bytes: Number(size) };
  } catch {
    return null;
  }
}
