/** A new folder for what nobody keeps, below the system's own. Whoever makes it removes it. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FolderError, systemCode } from "./system-error.ts";

/** Its path, which begins with `prefix` below the system's folder. Throws a `FolderError` where that takes none. */
export function makeTemporaryFolder(prefix: string): string {
  const begin = join(tmpdir(), prefix);
  try {
    return mkdtempSync(begin);
  } catch (error) {
    const code = systemCode(error);
    throw code === null ? error : new FolderError(code, `${begin}…`, "; TMPDIR names another place for it");
  }
}
