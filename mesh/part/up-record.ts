/** What `trialmesh up` says about itself in the home, so that other commands find it. Not a lock: pids are checked. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { longText } from "../../protocol/bound.ts";
import type { Home } from "../home.ts";
import {
  ensurePrivateFolder,
  parseJsonFile,
  readPrivateFile,
  writePrivateFile,
} from "../../system/private-file.ts";
import { processIsAlive } from "../../system/process-alive.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";

const upRecordSchema = z.object({
  version: z.literal(1),
  pid: z.int().positive(),
  /** Address the server listens on. */
  listen: longText,
  url: longText,
});
export type UpRecord = z.infer<typeof upRecordSchema>;

export function runFolder(home: Pick<Home, "path">): string {
  return join(home.path, "run");
}

function recordFile(home: Home): string {
  return join(runFolder(home), "up.json");
}

/** The record of an `up` that runs; null when none does. */
export function readUpRecord(home: Home): UpRecord | null {
  if (!existsSync(recordFile(home))) return null;
  const text = readPrivateFile(recordFile(home));
  if (!text.ok) return null;
  const json = parseJsonFile(recordFile(home), text.value);
  const parsed = json.ok ? upRecordSchema.safeParse(json.value) : null;
  return parsed?.success === true && processIsAlive(parsed.data.pid) ? parsed.data : null;
}

export function writeUpRecord(home: Home, record: Omit<UpRecord, "version">): Outcome<null> {
  const folder = ensurePrivateFolder(runFolder(home));
  if (!folder.ok) return folder;
  const written = writePrivateFile(
    recordFile(home),
    `${JSON.stringify({ version: 1, ...record }, null, 2)}\n`,
  );
  return written.ok ? accept(null) : written;
}

export function removeUpRecord(home: Home): void {
  rmSync(recordFile(home), { force: true });
}
