/** Where benches keep what they install and write: on the project's own disk, never in memory-backed /tmp. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's root, from the source as from what it was compiled to. */
export const projectFolder = rootAbove(dirname(fileURLToPath(import.meta.url)));
export const benchFolder = join(projectFolder, ".cache", "bench");

function rootAbove(folder: string): string {
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    if (existsSync(join(at, "package.json"))) return at;
  }
  throw new Error(`${folder} lies in no project`);
}
