/**
 * From a declared path to the bytes: the file or folder must be there, and a DVC pointer (`data.csv.dvc`) is followed. What
 * the bytes are is not looked at.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { systemCode } from "../../system/system-error.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { FileSource } from "../declaration/source.ts";
import { followPointer, type DvcObject } from "./dvc-pointer.ts";
import { listFolder, listObjects, type FolderListing } from "./folder-listing.ts";

export interface Located {
  readonly path: string;
  /** What the source is called in a manifest and in messages: its base name. */
  readonly name: string;
  /** Of a folder. */
  readonly listing: FolderListing | null;
  /** What a DVC pointer led to; none where the path is no pointer. */
  readonly objects: readonly DvcObject[];
}

const dvcSuffix = ".dvc";
export async function locateSource(source: FileSource): Promise<Outcome<Located>> {
  const { path } = source;
  const found = await kindOf(path);
  const wanted = source.format === "folder" && !path.endsWith(dvcSuffix) ? "folder" : "file";
  if (found !== wanted) {
    const usage =
      source.format === "labelled-lines" ? 'a file with one "label text" per line' : `the ${wanted} to read`;
    const what =
      found === "folder" || found === "file"
        ? `${path} is a ${found}`
        : found === "ENOENT"
          ? `there is no ${wanted} ${path}`
          : `${path} cannot be read (${found})`;
    return refuse("invalid", `${what}; give the path of ${usage}`);
  }
  if (path.endsWith(dvcSuffix)) return locatePointed(path, source);
  const name = basename(path);
  if (source.format !== "folder") return accept({ path, name, listing: null, objects: [] });
  const listing = await listFolder(path);
  return listing.ok ? accept({ path, name, listing: listing.value, objects: [] }) : listing;
}

async function locatePointed(path: string, source: FileSource): Promise<Outcome<Located>> {
  const followed = await followPointer(path, source.cache);
  if (!followed.ok) return followed;
  const { files, name, object } = followed.value;
  const objects = [...(object === null ? [] : [object]), ...(files ?? [])];
  if (source.format !== "folder") {
    return files === null && object !== null
      ? accept({ path: object.path, name, listing: null, objects })
      : refuse(
          "invalid",
          `${path} points to a folder; name a pointer of a single file, or say format: folder`,
        );
  }
  return files === null
    ? refuse(
        "invalid",
        `${path} points to a file, and format: folder needs one of a folder; say csv, jsonl or another format`,
      )
    : accept({ path, name, listing: listObjects(path, files), objects });
}

/** "file", "folder", or the code of the error that stands in the way. */
async function kindOf(path: string): Promise<string> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? "folder" : "file";
  } catch (error) {
    return systemCode(error) ?? errorSentence(error);
  }
}

/** Lower-case hexadecimal. Throws what the file system throws. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  const chunks: AsyncIterable<Uint8Array> = createReadStream(path, { highWaterMark: 4 * bytesPerMiB });
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}
