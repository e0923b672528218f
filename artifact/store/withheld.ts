/**
 * What somebody put onto this machine alone, while the mesh could not be asked: an empty file for each in the store's folder, beside the pins.
 *
 * PERSON-2: what was put onto a machine alone is neither told nor given to others, until it is put into the mesh or a lease of the mesh names it.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "../../protocol/id.ts";
import { makeFolderSync } from "../../system/make-folder.ts";
import { writeWholeSync } from "../../system/whole-file.ts";

const ownerOnlyMode = 0o700;

export class Withheld {
  readonly #folder: string;

  /** `store`: the folder of a store. */
  constructor(store: string) {
    this.#folder = join(store, "withheld");
  }

  has(digest: Digest): boolean {
    return existsSync(join(this.#folder, digest));
  }

  /** Throws the system's error. */
  add(digest: Digest): void {
    makeFolderSync(this.#folder, ownerOnlyMode);
    writeWholeSync(join(this.#folder, digest), "");
  }

  /** Throws the system's error. */
  remove(digest: Digest): void {
    rmSync(join(this.#folder, digest), { force: true });
  }
}
