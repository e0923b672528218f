/**
 * The examples of a folder with a folder for each label, in the order of their paths. Links are what they lead to; one
 * that leads nowhere is a refusal. What lies elsewhere in the folder is no example, and counted. Reads no content.
 */
import { readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { plural } from "../../protocol/plural.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { DvcObject } from "./dvc-pointer.ts";

export interface FolderExample {
  readonly label: string;
  readonly file: string;
  /** Of its bytes. */
  readonly path: string;
}

export interface FolderListing {
  readonly examples: readonly FolderExample[];
  /** A sentence on what is not an example, or none. */
  readonly notes: readonly string[];
}

/** Throws what the file system throws, but for links that lead nowhere. */
export async function listFolder(path: string): Promise<Outcome<FolderListing>> {
  const examples: FolderExample[] = [];
  const elsewhere: string[] = [];
  for (const { isFolder, name: label } of await entriesOf(path)) {
    if (isFolder === null) return refuse("invalid", await brokenLink(join(path, label)));
    if (!isFolder) {
      elsewhere.push(label);
      continue;
    }
    for (const entry of await entriesOf(join(path, label))) {
      const own = join(path, label, entry.name);
      if (entry.isFolder === null) return refuse("invalid", await brokenLink(own));
      if (entry.isFolder) elsewhere.push(...(await filesBelow(own, `${label}/${entry.name}`)));
      else examples.push({ label, file: entry.name, path: own });
    }
  }
  return accept({ examples, notes: elsewhereNotes(path, elsewhere) });
}

/** Of a folder that DVC keeps as a list of files. */
export function listObjects(
  path: string,
  files: readonly (DvcObject & { readonly relpath: string })[],
): FolderListing {
  const examples: FolderExample[] = [];
  const elsewhere: string[] = [];
  for (const { path: object, relpath } of files) {
    const [label = "", file, ...deeper] = relpath.split("/");
    if (relpath.split("/").some((part) => part.startsWith("."))) continue;
    if (file === undefined || deeper.length > 0) elsewhere.push(relpath);
    else examples.push({ label, file, path: object });
  }
  const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  examples.sort((a, b) => order(a.label, b.label) || order(a.file, b.file));
  return { examples, notes: elsewhereNotes(path, elsewhere.toSorted()) };
}

function elsewhereNotes(path: string, [first, ...more]: readonly string[]): readonly string[] {
  if (first === undefined) return [];
  const count = more.length + 1;
  return [
    `${path}: ${plural(count, "file")} that ${count === 1 ? "is" : "are"} in no label's own folder ${count === 1 ? "was" : "were"} left out, the first ${first}; an example lies directly in the folder of its label`,
  ];
}

interface Entry {
  readonly name: string;
  /** Null: a link that leads nowhere. */
  readonly isFolder: boolean | null;
}

/** Sorted by code unit, the same everywhere; hidden ones are left out. */
async function entriesOf(path: string): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    const isFolder = entry.isSymbolicLink()
      ? await stat(join(path, entry.name)).then(
          (target) => target.isDirectory(),
          () => null,
        )
      : entry.isDirectory();
    found.push({ name: entry.name, isFolder });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Of a folder that is no label's; links in it are not followed, for they may lead round. */
async function filesBelow(path: string, shown: string): Promise<readonly string[]> {
  const found = await readdir(path, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => `${shown}${entry.parentPath.slice(path.length)}/${entry.name}`)
    .toSorted();
}

async function brokenLink(path: string): Promise<string> {
  const target = await readlink(path).catch(() => "somewhere");
  return `${path} is a link to ${target}, which cannot be read; bring what it leads to, or take the link away`;
}
