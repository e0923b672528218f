/**
 * A DVC pointer (`data.csv.dvc`) followed to its bytes: of DVC 3 in `files/md5/ab/cdef…` of a cache, of DVC 1 and 2 in
 * `ab/cdef…`, where texts are hashed with LF for CRLF; or beside the pointer, where it is checked out. A folder is a list of
 * such files. What is found is checked against its MD5. Nothing is fetched.
 */
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { storedList, storedText } from "../../protocol/bound.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { dvcDigests } from "./dvc-digest.ts";

const md5Schema = storedText.regex(/^[0-9a-f]{32}(?:\.dir)?$/u);
const fileSchema = z.object({ md5: md5Schema, relpath: storedText.min(1) });
const pointerSchema = z.object({
  wdir: storedText.optional(),
  outs: z.tuple([
    z.object({
      md5: md5Schema.optional(),
      /** `md5` from DVC 3 on. */
      hash: storedText.optional(),
      path: storedText.min(1),
      /** Of a folder in a remote that keeps versions itself. */
      files: storedList(fileSchema).optional(),
    }),
  ]),
});

/** Bytes that a pointer leads to. */
export interface DvcObject {
  readonly path: string;
  /** Where it lies, or would lie, in a cache: `files/md5/ab/cdef…`. */
  readonly inCache: string;
}

export interface Followed {
  readonly name: string;
  /** The file; of a folder what lists its files, null where the pointer does so itself. */
  readonly object: DvcObject | null;
  /** Of a folder, by their paths in it. */
  readonly files: readonly (DvcObject & { readonly relpath: string })[] | null;
}

/** `cache`: the only one to look into, where one is given. */
export async function followPointer(path: string, cache: string | undefined): Promise<Outcome<Followed>> {
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
  const { outs, wdir } = parsed.data;
  const [out] = outs;
  const search: Search = {
    pointer: path,
    caches: cache === undefined ? await cachesFor(path) : [cache],
    hash: out.hash,
    beside: resolve(dirname(path), wdir ?? ".", out.path),
  };
  const name = basename(out.path);
  if (out.files !== undefined) {
    const files = await filesOf(search, out.files);
    return files.ok ? accept({ name, object: null, files: files.value }) : files;
  }
  if (out.md5 === undefined)
    return refuse(
      "invalid",
      `${path} names no MD5 of ${out.path}, only what a remote calls it; run "dvc pull", then "dvc commit"`,
    );
  return out.md5.endsWith(".dir") ? followFolder(search, out.md5, name) : followFile(search, out.md5, name);
}

interface Search {
  readonly pointer: string;
  readonly caches: readonly string[];
  readonly hash: string | undefined;
  /** Where DVC puts what the pointer stands for when it is checked out. */
  readonly beside: string;
}

async function followFile(search: Search, md5: string, name: string): Promise<Outcome<Followed>> {
  const object = await find(search, md5, search.beside);
  return object.ok ? accept({ name, object: object.value, files: null }) : object;
}

async function followFolder(search: Search, md5: string, name: string): Promise<Outcome<Followed>> {
  const object = await find(search, md5, null);
  if (!object.ok) return object;
  const listed = storedList(fileSchema).safeParse(jsonOf(await readFile(object.value.path, "utf8")));
  if (!listed.success)
    return refuse("conflict", `${object.value.path} is damaged: it lists no files; run "dvc fetch" again`);
  const files = await filesOf(search, listed.data);
  return files.ok ? accept({ name, object: object.value, files: files.value }) : files;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function filesOf(
  search: Search,
  listed: readonly z.infer<typeof fileSchema>[],
): Promise<Outcome<readonly (DvcObject & { readonly relpath: string })[]>> {
  const files: (DvcObject & { readonly relpath: string })[] = [];
  for (const { md5, relpath } of listed) {
    const found = await find(search, md5, join(search.beside, relpath));
    if (!found.ok) return refuse(found.refusal.code, `${found.refusal.message} (${relpath})`);
    files.push({ ...found.value, relpath });
  }
  return accept(files);
}

/** The bytes of an MD5, in a cache or checked out. */
async function find(
  { caches, hash, pointer }: Search,
  md5: string,
  beside: string | null,
): Promise<Outcome<DvcObject>> {
  const parts = [md5.slice(0, 2), md5.slice(2)];
  const [now, then] = [["files", "md5", ...parts].join("/"), parts.join("/")];
  const places = hash === "md5" ? [now] : [then, now];
  const inCache = places[0] ?? now;
  const wanted = md5.replace(/\.dir$/u, "");
  let damaged: string | null = null;
  for (const cache of caches) {
    for (const place of places) {
      const path = join(cache, place);
      if (!(await isFile(path))) continue;
      if (await hasDigest(path, wanted, hash)) return accept({ path, inCache: place });
      damaged ??= path;
    }
  }
  if (beside !== null && (await isFile(beside)) && (await hasDigest(beside, wanted, hash)))
    return accept({ path: beside, inCache });
  if (damaged !== null) {
    const actual = createHash("md5")
      .update(await readFile(damaged))
      .digest("hex");
    return refuse("conflict", `${damaged} is damaged: its MD5 is ${actual}; run "dvc fetch" again`);
  }
  return refuse(
    "unavailable",
    `${pointer}: ${inCache} is in no DVC cache here; run "dvc fetch", or give the cache's folder as cache`,
  );
}

async function hasDigest(path: string, wanted: string, hash: string | undefined): Promise<boolean> {
  const { asText, whole } = await dvcDigests(path);
  return whole === wanted || (hash !== "md5" && asText === wanted);
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** The folder that `.dvc/config` names as cache, or `.dvc/cache`: of the pointer's folder and of each above it. */
async function cachesFor(pointer: string): Promise<readonly string[]> {
  const caches: string[] = [];
  for (let folder = dirname(pointer); ; folder = dirname(folder)) {
    const own = join(folder, ".dvc");
    for (const config of ["config.local", "config"]) {
      const named = cacheNamed(await readFile(join(own, config), "utf8").catch(() => ""));
      if (named !== null) caches.push(resolve(own, named));
    }
    caches.push(join(own, "cache"));
    if (folder === dirname(folder)) return caches;
  }
}

/** `dir` of the section `cache`. */
function cacheNamed(config: string): string | null {
  let section = "";
  for (const line of config.split(/\r?\n/u)) {
    const head = /^\s*\[\s*(?<name>[^\]]*?)\s*\]/u.exec(line)?.groups?.["name"];
    if (head !== undefined) section = head;
    const dir = /^\s*dir\s*=\s*(?<dir>.+?)\s*$/u.exec(line)?.groups?.["dir"];
    if (dir !== undefined && section.replaceAll(/['"]/gu, "") === "cache") return dir;
  }
  return null;
}
