/**
 * Which machines were added from this home, how they are reached, and which build they were brought: a file each in `machines`. Not
 * whether they are there now, which the mesh knows.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { listOf, longText, sentenceText, shortText } from "../../protocol/bound.ts";
import { nameSchema } from "../../protocol/name.ts";
import { accept, parseOutside, type Outcome } from "../../protocol/refusal.ts";
import type { Home } from "../../mesh/home.ts";
import { portMax } from "../../mesh/port.ts";
import {
  ensurePrivateFolder,
  parseJsonFile,
  readPrivateFile,
  writePrivateFile,
} from "../../system/private-file.ts";

const recordSchema = z.object({
  version: z.literal(1),
  agent: nameSchema,
  destination: sentenceText,
  port: z.int().min(1).max(portMax).nullable(),
  identity: longText.nullable(),
  /** Digest of the build that was brought last, and the package's version. */
  build: shortText,
  packageVersion: shortText,
  /** As Node has them: linux-x64. */
  platform: shortText,
  service: z.boolean(),
  /** Of the agent's command line there: its owner's flags. */
  words: listOf(sentenceText),
  /** Unix time in ms. */
  addedAt: z.int(),
});
export type MachineRecord = z.infer<typeof recordSchema>;

const ending = ".json";

export function listMachines(home: Home): Outcome<readonly MachineRecord[]> {
  const folder = join(home.path, "machines");
  if (!existsSync(folder)) return accept([]);
  const found: MachineRecord[] = [];
  for (const file of readdirSync(folder).toSorted()) {
    if (!file.endsWith(ending)) continue;
    const record = readRecord(join(folder, file));
    if (!record.ok) return record;
    found.push(record.value);
  }
  return accept(found);
}

export function saveMachine(home: Home, record: MachineRecord): Outcome<null> {
  const folder = ensurePrivateFolder(join(home.path, "machines"));
  if (!folder.ok) return folder;
  const file = join(folder.value, `${record.agent}${ending}`);
  const written = writePrivateFile(file, `${JSON.stringify(record, null, 2)}\n`);
  return written.ok ? accept(null) : written;
}

function readRecord(file: string): Outcome<MachineRecord> {
  const text = readPrivateFile(file);
  if (!text.ok) return text;
  const json = parseJsonFile(file, text.value);
  return json.ok ? parseOutside(recordSchema, json.value, file) : json;
}
