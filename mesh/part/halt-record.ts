/** Why a coordinator of this home halted last, for whoever asks later: it has ended, and with it its terminal. Nothing is decided on it. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { sentenceText, sentenceCharactersMax } from "../../protocol/bound.ts";
import { parseJsonFile, readPrivateFile, writePrivateFile } from "../../system/private-file.ts";
import type { Home } from "../home.ts";

const haltSchema = z.object({ version: z.literal(1), at: z.number(), reason: sentenceText });

export interface Halt {
  readonly coordinator: string;
  readonly reason: string;
}

/** `at`: ms since the Unix epoch. A disk that refuses it takes nothing from what was said already. */
export function noteHalt(home: Home, coordinator: string, at: number, reason: string): void {
  const text = JSON.stringify({ version: 1, at, reason: reason.slice(0, sentenceCharactersMax) });
  writePrivateFile(haltFile(home, coordinator), `${text}\n`);
}

/** At its next start. */
export function forgetHalt(home: Home, coordinator: string): void {
  rmSync(haltFile(home, coordinator), { force: true });
}

export function haltsIn(home: Home): readonly Halt[] {
  const folder = join(home.path, "coordinator");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((coordinator) => {
    const file = haltFile(home, coordinator);
    const text = existsSync(file) ? readPrivateFile(file) : null;
    const json = text?.ok === true ? parseJsonFile(file, text.value) : null;
    const halt = json?.ok === true ? haltSchema.safeParse(json.value).data : undefined;
    return halt === undefined ? [] : [{ coordinator, reason: halt.reason }];
  });
}

function haltFile(home: Home, coordinator: string): string {
  return join(home.path, "coordinator", coordinator, "halted.json");
}
