/**
 * MODEL-3: a folder that appears whole or not at all: filled under a name beside its place, then renamed. What a process that was killed left
 * beside it goes with the next one.
 */
import { mkdir, open, readdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { makeFolder } from "../../system/make-folder.ts";
import { partSuffix } from "../../system/partial-file.ts";
import { refuseDisk, systemCode } from "../../system/system-error.ts";

export interface DraftOptions {
  /** Replaces a folder that has this file in it: an earlier one of the same kind; null replaces none. */
  readonly replace: string | null;
  /** What a refusal calls such a folder. */
  readonly what: string;
}

/** `fill` writes into the folder it is given; a refusal of its own leaves nothing behind. */
export async function makeWholeFolder<Value>(
  path: string,
  options: DraftOptions,
  fill: (draft: string) => Promise<Outcome<Value>>,
): Promise<Outcome<Value>> {
  const place = resolve(path);
  const draft = join(dirname(place), `.${basename(place)}${partSuffix}`);
  let isMade = false;
  try {
    const free = await refuseTaken(place, options);
    if (!free.ok) return free;
    await makeFolder(dirname(place));
    await removeLeft(place);
    await mkdir(draft);
    isMade = true;
    const filled = await fill(draft);
    if (!filled.ok) return filled;
    const placed = await put(draft, place, options);
    return placed.ok ? filled : placed;
  } catch (error) {
    return refuseDisk(error, "write", place);
  } finally {
    if (isMade) await rm(draft, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Writes a file of the draft and has the disk keep it. */
export async function writePieces(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  await makeFolder(dirname(path));
  const file = await open(path, "wx");
  try {
    for (const piece of pieces) await file.writeFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Null where there is nothing. */
async function namesIn(path: string): Promise<readonly string[] | null> {
  try {
    return await readdir(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw error;
  }
}

async function refuseTaken(place: string, { replace, what }: DraftOptions): Promise<Outcome<null>> {
  const names = await namesIn(place);
  if (names === null || names.length === 0) return accept(null);
  if (replace === null)
    return refuse(
      "conflict",
      `${place} is a folder with something in it; --force replaces ${what}, --to names another place`,
    );
  if (names.includes(replace)) return accept(null);
  return refuse(
    "conflict",
    `${place} is not ${what} (it has no ${replace}), so --force does not replace it; --to names another place`,
  );
}

async function put(draft: string, place: string, options: DraftOptions): Promise<Outcome<null>> {
  const free = await refuseTaken(place, options);
  if (!free.ok) return free;
  const names = await namesIn(place);
  if (names !== null && names.length > 0) {
    const old = join(dirname(place), `.${basename(place)}.old${partSuffix}`);
    await rename(place, old);
    await rename(draft, place);
    await rm(old, { recursive: true, force: true, maxRetries: 5 });
    return accept(null);
  }
  if (names !== null) await rmdir(place);
  await rename(draft, place);
  return accept(null);
}

/** Drafts of processes that are gone, and what they were about to replace. */
async function removeLeft(place: string): Promise<void> {
  const start = `.${basename(place)}.`;
  for (const name of (await namesIn(dirname(place))) ?? []) {
    const owner = name.startsWith(start)
      ? /^(?:old\.)?part-(\d+)$/.exec(name.slice(start.length))?.[1]
      : undefined;
    if (owner === undefined || isAlive(Number(owner))) continue;
    await rm(join(dirname(place), name), { recursive: true, force: true, maxRetries: 5 });
  }
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return id !== process.pid;
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
}
