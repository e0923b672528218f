/** Folders of a name below another, at any depth. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

export function directoriesNamed(root: string, name: string): readonly string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => {
      const path = join(root, entry.name);
      return entry.name === name ? [path] : directoriesNamed(path, name);
    });
}
