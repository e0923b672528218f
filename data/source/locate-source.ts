/**
 * From a declared path to the bytes: the file must be there, a DVC pointer (`data.csv.dvc`) is followed into the DVC
 * cache, whose layout is files/md5/ab/cdef… (DVC 3). What is found is checked against the pointer's MD5.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { storedText } from "../../protocol/bound.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { systemCode } from "../../system/system-error.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { FileSource } from "../declaration/source.ts";

export interface Located {
  readonly path: string;
  /** What the source is called in a manifest and in messages: its base name. */
  readonly name: string;
}

const dvcSuffix = ".dvc";
const pointerSchema = z.object({
  outs: z.tuple([z.object({ md5: storedText.regex(/^[0-9a-f]{32}(?:\.dir)?$/u), path: storedText.min(1) })]),
});

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
  if (!path.endsWith(dvcSuffix)) return accept({ path, name: basename(path) });
  return followPointer(path, source);
}

async function followPointer(path: string, source: FileSource): Promise<Outcome<Located>> {
  let pointer: unknown;
  try {
    pointer = parse(await readFile(path, "utf8"));
  } catch {
    pointer = null;
  }
  const parsed = pointerSchema.safeParse(pointer);
  if (!parsed.success)
    return refuse(
      "invalid",
      `${path} is no DVC pointer; it should have one entry in outs, with md5 and path`,
    );
  const [{ md5, path: name }] = parsed.data.outs;
  if (md5.endsWith(".dir"))
    return refuse("invalid", `${path} points to a folder; name a pointer of a single file`);
  const relative = join("files", "md5", md5.slice(0, 2), md5.slice(2));
  for (const cache of cachesFor(path, source.cache)) {
    const candidate = join(cache, relative);
    if ((await kindOf(candidate)) !== "file") continue;
    const actual = await digestOf(candidate, "md5");
    if (actual !== md5)
      return refuse("conflict", `${candidate} is damaged: its MD5 is ${actual}; run "dvc fetch" again`);
    return accept({ path: candidate, name: basename(name) });
  }
  return refuse(
    "unavailable",
    `${path}: ${relative} is in no DVC cache here; run "dvc fetch", or give the cache's folder as cache`,
  );
}

/** The one given, or .dvc/cache of the pointer's folder and of each above it. */
function cachesFor(path: string, given: string | undefined): string[] {
  if (given !== undefined) return [given];
  const caches: string[] = [];
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    caches.push(join(folder, ".dvc", "cache"));
    if (folder === dirname(folder)) return caches;
  }
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
export async function digestOf(path: string, algorithm: "sha256" | "md5" = "sha256"): Promise<string> {
  const hash = createHash(algorithm);
  const chunks: AsyncIterable<Uint8Array> = createReadStream(path, { highWaterMark: 4 * bytesPerMiB });
  for await (const chunk of chunks) hash.update(chunk);
  return hash.digest("hex");
}
