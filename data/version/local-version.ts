/**
 * Dataset versions on this machine: builds them, and remembers what it built: the same recipe is not built twice. The memory is
 * a folder of Parquet files named by their digest, the least recently used of which go when it grows too large.
 */
import { readdir, readFile, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { storedText, storedList } from "../../protocol/bound.ts";
import { bytesPerGiB } from "../../protocol/byte-unit.ts";
import { buildDataset, type BuildReport } from "./build-dataset.ts";
import { badRowSchema } from "../row/bad-row.ts";
import { recipeKey, sourceDigests } from "../source/recipe-key.ts";
import type { Declaration } from "../declaration/declaration.ts";
import type { Manifest } from "../manifest/manifest.ts";
import { readManifest } from "../manifest/read-manifest.ts";
import { refuseDisk } from "../../system/system-error.ts";
import { writeWhole } from "../../system/whole-file.ts";
import { cacheFolder } from "../../system/cache-folder.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { Environment } from "../../system/environment.ts";
import { makeFolder } from "../../system/make-folder.ts";

export interface LocalVersion {
  readonly path: string;
  readonly digest: string;
  readonly bytes: number;
  /** What decides its bytes, as one digest. */
  readonly recipe: string;
  readonly manifest: Manifest;
  readonly report: BuildReport;
}

const rememberedSchema = z.object({
  digest: storedText,
  report: z.object({
    badCount: z.number(),
    bad: storedList(badRowSchema.extend({ path: storedText })),
    latin1Lines: z.number(),
    leakedRows: z.number(),
    nearGroups: z.number().nullable(),
    notes: storedList(storedText).default([]),
  }),
});
const keptBytesMax = 4 * bytesPerGiB;

/** Where versions are kept on this machine. */
function versionFolder(environment: Environment): string {
  return join(cacheFolder(environment), "datasets");
}

export function versionPath(environment: Environment, digest: string): string {
  return join(versionFolder(environment), `${digest}.parquet`);
}

/** True where this machine has the version's file, whole or not. It counts as used now. */
export async function isHere(digest: string, environment: Environment): Promise<boolean> {
  try {
    await touch(versionPath(environment, digest));
    return true;
  } catch {
    return false;
  }
}

/** `say` hears a line before what may take long; `key` is the recipe's where the caller knows it. */
export async function buildHere(
  declaration: Declaration,
  environment: Environment,
  say: (line: string) => void,
  key?: string,
): Promise<Outcome<LocalVersion>> {
  const keyed = key === undefined ? await keyOf(declaration) : accept(key);
  if (!keyed.ok) return keyed;
  const recipe = keyed.value;
  const known = await remembered(recipe, environment);
  if (known !== null) return accept(known);
  const folder = versionFolder(environment);
  try {
    await makeFolder(folder, 0o700);
  } catch (error) {
    return refuseDisk(error, "write", folder);
  }
  const built = await buildDataset(declaration, {
    workDir: folder,
    progress: (stage) => say(`dataset ${declaration.name}: ${stage}`),
  });
  if (!built.ok) return built;
  const { bytes, digest, manifest, path, report } = built.value;
  try {
    await writeWhole(join(folder, `${recipe}.json`), JSON.stringify({ digest, report }));
    await prune(folder, path);
  } catch (error) {
    return refuseDisk(error, "write", folder);
  }
  return accept({ path, digest, bytes, recipe, manifest, report });
}

/** Keeps a version that was built elsewhere, which `bring` puts into a file: whole or not at all. */
export async function keepVersion(
  environment: Environment,
  digest: string,
  bring: (path: string) => Promise<Outcome<null>>,
): Promise<Outcome<null>> {
  const folder = versionFolder(environment);
  try {
    await makeFolder(folder, 0o700);
    const path = versionPath(environment, digest);
    const brought = await bring(path);
    if (brought.ok) await prune(folder, path);
    return brought;
  } catch (error) {
    return refuseDisk(error, "write", folder);
  }
}

async function keyOf(declaration: Declaration): Promise<Outcome<string>> {
  const digests = await sourceDigests(declaration);
  return digests.ok ? accept(recipeKey(declaration, digests.value)) : digests;
}

async function remembered(recipe: string, environment: Environment): Promise<LocalVersion | null> {
  const folder = versionFolder(environment);
  try {
    const { digest, report } = rememberedSchema.parse(
      JSON.parse(await readFile(join(folder, `${recipe}.json`), "utf8")),
    );
    const path = versionPath(environment, digest);
    const { size } = await stat(path);
    const manifest = await readManifest(path);
    if (!manifest.ok) return null;
    await touch(path);
    return { path, digest, bytes: size, recipe, manifest: manifest.value, report };
  } catch {
    return null; // never built here, or gone: build it
  }
}

/** Marks a version as used now. */
export async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now);
}

/** Lets the least recently used versions go; never the one just made. */
async function prune(folder: string, keep: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".parquet"));
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const { mtimeMs, size } = await stat(path);
      return { path, size, usedAt: mtimeMs };
    }),
  );
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files.toSorted((a, b) => a.usedAt - b.usedAt)) {
    if (total <= keptBytesMax) return;
    if (path === keep) continue;
    await rm(path, { force: true });
    total -= size;
  }
}
