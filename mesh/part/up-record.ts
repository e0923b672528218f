/**
 * What `trialmesh up` says about itself in the home, so that other commands find it, and its lock: one for a home at a time.
 * DOWN-1: a record counts only while the very process that wrote it is there.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { longText, shortText } from "../../protocol/bound.ts";
import { projectFolder } from "../../training/version/code-version.ts";
import { buildId } from "../build/own-build.ts";
import type { Home } from "../home.ts";
import { lockHolder, tryLock, type FolderLock } from "../../system/folder-lock.ts";
import {
  ensurePrivateFolder,
  parseJsonFile,
  readPrivateFile,
  writePrivateFile,
} from "../../system/private-file.ts";
import { isSameProcess, startOfProcess } from "../../system/process-alive.ts";
import { refuseDisk } from "../../system/system-error.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";

const lockName = "up";
const pollMs = 20;

type Place = Pick<Home, "path">;

const upRecordSchema = z.object({
  version: z.literal(1),
  pid: z.int().positive(),
  /** When that process started, as the system counts it; left out by earlier versions, and where the system does not say. */
  started: longText.optional(),
  /** Its server does not serve yet. */
  starting: z.boolean().optional(),
  /** Address the server listens on. */
  listen: longText,
  url: longText,
  /** Digest of the build that runs (`own-build.ts`); left out by earlier versions. */
  build: shortText.optional(),
  /** Where its gateway answers callers; left out where there is none. */
  gateway: longText.optional(),
});
export type UpRecord = z.infer<typeof upRecordSchema>;

export function runFolder(home: Place): string {
  return join(home.path, "run");
}

function recordFile(home: Place): string {
  return join(runFolder(home), "up.json");
}

/** The record of an `up` that runs; null when none does. */
export function readUpRecord(home: Place): UpRecord | null {
  if (!existsSync(recordFile(home))) return null;
  const text = readPrivateFile(recordFile(home));
  if (!text.ok) return null;
  const json = parseJsonFile(recordFile(home), text.value);
  const parsed = json.ok ? upRecordSchema.safeParse(json.value) : null;
  if (parsed?.success !== true) return null;
  const { pid, started } = parsed.data;
  return isSameProcess(pid, started ?? null) ? parsed.data : null;
}

/** As soon as the `up` of this home, if one has begun to start, has its record. */
export async function findUp(home: Place): Promise<UpRecord | null> {
  for (;;) {
    const record = readUpRecord(home);
    if (record !== null || lockHolder(runFolder(home), lockName) === null) return record;
    await sleep(pollMs);
  }
}

let knownBuild: string | null = null;

/** As this process began with it: a clone may be compiled anew under it. */
function ownBuild(): string {
  knownBuild ??= buildId(projectFolder);
  return knownBuild;
}

/** Of this process. */
export function writeUpRecord(
  home: Place,
  record: Pick<UpRecord, "listen" | "url"> & { readonly starting: boolean },
): Outcome<null> {
  const folder = ensurePrivateFolder(runFolder(home));
  if (!folder.ok) return folder;
  const started = startOfProcess(process.pid);
  const own: UpRecord = {
    version: 1,
    pid: process.pid,
    ...(started === null ? {} : { started }),
    build: ownBuild(),
    ...record,
  };
  const written = writePrivateFile(recordFile(home), `${JSON.stringify(own, null, 2)}\n`);
  return written.ok ? accept(null) : written;
}

/** Of this process, whose record is there: where its gateway answers. What cannot be written is no reason for anything to end. */
export function noteGateway(home: Place, gateway: string): void {
  const own = readUpRecord(home);
  if (own?.pid !== process.pid) return;
  writePrivateFile(recordFile(home), `${JSON.stringify({ ...own, gateway }, null, 2)}\n`);
}

export function removeUpRecord(home: Place): void {
  try {
    rmSync(recordFile(home), { force: true });
  } catch {
    // Nobody believes it once its process is gone.
  }
}

/** The home is this process's to bring up; refused while another does, or has. */
export function claimUp(home: Place): Outcome<FolderLock> {
  const folder = ensurePrivateFolder(runFolder(home));
  if (!folder.ok) return folder;
  try {
    const claim = tryLock(folder.value, lockName);
    // An `up` of an earlier version has no lock.
    const other = readUpRecord(home);
    if (claim.held && other === null) return accept(claim.lock);
    if (claim.held) claim.lock.release();
    if (other !== null && other.starting !== true)
      return refuse(
        "conflict",
        `the mesh of ${home.path} is up already (process ${other.pid}, ${other.url}); stop it with \`trialmesh down\``,
      );
    const who = claim.held ? other?.pid : claim.holder;
    return refuse(
      "conflict",
      `the mesh of ${home.path} is being started already${who === undefined || who === null ? "" : ` (process ${who})`}; wait for it, or end it with \`trialmesh down\``,
    );
  } catch (error) {
    return refuseDisk(error, "write", folder.value);
  }
}
