/**
 * Which artifacts of a store are marked as something: an empty file for each, named by its digest, in a folder of the store that all its processes
 * read. A mark need not have its artifact here.
 */
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "../../protocol/id.ts";
import { makeFolderSync } from "../../system/make-folder.ts";

const folderMode = 0o700;
const markMode = 0o600;

export class DigestMark {
  readonly #folder: string;

  /** Throws the system's error, as all but `has` do. */
  constructor(folder: string) {
    this.#folder = folder;
    makeFolderSync(folder, folderMode);
  }

  has(digest: Digest): boolean {
    return existsSync(join(this.#folder, digest));
  }

  add(digest: Digest): void {
    writeFileSync(join(this.#folder, digest), "", { mode: markMode, flush: true });
  }

  /** Where there is none nothing happens. */
  remove(digest: Digest): void {
    rmSync(join(this.#folder, digest), { force: true });
  }

  all(): readonly Digest[] {
    return readdirSync(this.#folder);
  }
}
