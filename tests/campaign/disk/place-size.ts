/** What lies where on the disk of a mesh's home, by its parts: blocks that are taken, not lengths, since databases have holes. */
import { readdirSync, statSync, type Dirent } from "node:fs";
import { join } from "node:path";
import { systemCode } from "../../../system/system-error.ts";

const blockBytes = 512;

/** By place, its bytes, the largest first. A place is a part's folder, or a stream of the server. */
export type PlaceSizes = Readonly<Record<string, number>>;

export function sizesOf(home: string): PlaceSizes {
  const sizes = new Map<string, number>();
  for (const [path, bytes] of filesBelow(home)) {
    const place = placeOf(path);
    sizes.set(place, (sizes.get(place) ?? 0) + bytes);
  }
  return Object.fromEntries([...sizes].toSorted(([, a], [, b]) => b - a));
}

export function totalOf(sizes: PlaceSizes): number {
  return Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0);
}

function placeOf(path: string): string {
  const parts = path.split("/");
  const stream = parts.indexOf("streams");
  if (stream >= 0) return `server: ${parts[stream + 1]?.replace(/^TM_.*_/, "") ?? ""}`;
  const [part = "", what] = parts.slice(0, -1);
  if (part === "artifacts") return `${part}/${what ?? ""}`;
  // `<part>/<its name>/<what>`.
  return part === "agent" || part === "coordinator" ? parts.slice(0, -1).slice(0, 3).join("/") : "the rest";
}

/** What is deleted while it is looked at is not there. */
function* filesBelow(folder: string, path = ""): Generator<[string, number], void, void> {
  for (const entry of entriesOf(join(folder, path))) {
    const below = path === "" ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory()) {
      yield* filesBelow(folder, below);
      continue;
    }
    const found = statSync(join(folder, below), { throwIfNoEntry: false });
    if (found !== undefined) yield [below, found.blocks * blockBytes];
  }
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  }
}
