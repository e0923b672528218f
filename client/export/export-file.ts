/** The files of an export: written beside their places, flushed, and put there together once all of them are complete. */
import { rmSync } from "node:fs";
import { link, open, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { makeFolder } from "../../system/make-folder.ts";
import { partSuffix } from "../../system/partial-file.ts";
import { systemCode } from "../../system/system-error.ts";
import { refuseOverwriting } from "./export-place.ts";
import { TextFile } from "./text-file.ts";

export class ExportFiles {
  readonly #force: boolean;
  /** Paths by where they are written meanwhile. */
  readonly #drafts = new Map<string, string>();

  constructor(force: boolean) {
    this.#force = force;
  }

  /** Where to write what is to stand at `path`. Throws a `FolderError`. */
  async draftOf(path: string): Promise<string> {
    await makeFolder(dirname(path));
    const draft = `${path}${partSuffix}`;
    this.#drafts.set(draft, path);
    return draft;
  }

  /** Text in pieces, however much. Throws the system's error. */
  async write(path: string, pieces: AsyncIterable<string>): Promise<void> {
    await TextFile.write(await this.draftOf(path), pieces);
  }

  /** Puts all in their places; each with its size in bytes. What came there meanwhile is not overwritten. Throws the system's error. */
  async place(): Promise<Outcome<ReadonlyMap<string, number>>> {
    const sizes = new Map<string, number>();
    for (const [draft, path] of this.#drafts) {
      await flush(draft);
      sizes.set(path, (await stat(draft)).size);
      if (!(await moved(draft, path, this.#force))) return refuseOverwriting(path);
      this.#drafts.delete(draft);
    }
    return accept(sizes);
  }

  /** Takes away what is in no place. At once, for a process that ends waits for nothing. */
  close(): void {
    for (const draft of this.#drafts.keys()) rmSync(draft, { force: true });
  }
}

/** Where a file cannot be written is the person's to mend. */
export function unwritable(error: unknown, path: string): Outcome<never> {
  const code = systemCode(error);
  if (code === null) throw error;
  const why = code === "ENOSPC" || code === "EDQUOT" ? "the disk is full" : code;
  return refuse("unavailable", `${path}: it cannot be written (${why}); --out names another place`);
}

async function flush(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** False where something stands there that may not be overwritten. */
async function moved(draft: string, path: string, force: boolean): Promise<boolean> {
  if (!force) {
    try {
      await link(draft, path);
      await unlink(draft);
      return true;
    } catch (error) {
      if (systemCode(error) === "EEXIST") return false;
      // A disk without links: it was looked whether something is there before.
    }
  }
  await rename(draft, path);
  return true;
}
