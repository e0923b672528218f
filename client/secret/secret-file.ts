/**
 * A requester's secrets as this home keeps them: sealed to each agent that was in the mesh when they were set, and to nobody else. The
 * values themselves are nowhere, so not even whoever set one can read it again.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { listOf, longText, recordOf, shortText } from "../../protocol/bound.ts";
import { nameSchema } from "../../protocol/name.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import {
  sealSecret,
  secretCharactersMax,
  secretCharactersMin,
  secretNameText,
} from "../../protocol/secret.ts";
import { parseJsonFile, readPrivateFile, writePrivateFile } from "../../system/private-file.ts";
import type { Connected } from "../connect/connect-mesh.ts";

const entrySchema = z.strictObject({
  name: secretNameText,
  requester: shortText,
  /** Ms since the Unix epoch. */
  setAt: z.number(),
  sealed: recordOf(nameSchema, longText),
});
const fileSchema = z.strictObject({ version: z.literal(1), secrets: listOf(entrySchema, 1_000) });
export type KeptSecret = z.infer<typeof entrySchema>;

/** SECRET-1. Names the agents that it is sealed to. */
export async function setSecret(
  { client, home }: Connected,
  name: string,
  value: string,
  now: number,
): Promise<Outcome<KeptSecret>> {
  const fault = faultOf(name, value);
  if (fault !== null) return refuse("invalid", fault);
  const mesh = await client.query("mesh", {});
  if (!mesh.ok) return mesh;
  const sealed = mesh.value.agents.flatMap(({ agent, sealKey }): [string, string][] =>
    sealKey === null ? [] : [[agent, sealSecret(sealKey, client.who, name, value)]],
  );
  if (sealed.length === 0)
    return refuse(
      "unavailable",
      "no agent of this mesh has told a key to seal it to; start one of this version that runs programs, and set it then",
    );
  const kept = { name, requester: client.who, setAt: now, sealed: Object.fromEntries(sealed) };
  const before = readSecrets(home.path);
  if (!before.ok) return before;
  const others = before.value.filter((one) => !(one.name === name && one.requester === client.who));
  const written = writeSecrets(home.path, [...others, kept]);
  return written.ok ? accept(kept) : written;
}

function faultOf(name: string, value: string): string | null {
  const parsed = secretNameText.safeParse(name);
  if (!parsed.success) return parsed.error.issues[0]?.message ?? "that is no name of a secret";
  if (value.includes("\0")) return "its value has a NUL in it, which no variable can hold";
  if (value.length < secretCharactersMin)
    return `its value has fewer than ${secretCharactersMin} characters, and could not be masked in logs`;
  return value.length > secretCharactersMax
    ? `its value has more than ${secretCharactersMax} characters; a file lies better on the machine`
    : null;
}

export function removeSecret({ client, home }: Connected, name: string): Outcome<null> {
  const before = readSecrets(home.path);
  if (!before.ok) return before;
  const left = before.value.filter((one) => !(one.name === name && one.requester === client.who));
  if (left.length === before.value.length) return unknownSecret(name);
  const written = writeSecrets(home.path, left);
  return written.ok ? accept(null) : written;
}

export function unknownSecret(name: string): Extract<Outcome<never>, { ok: false }> {
  return refuse("unknown", `there is no secret ${name} here; \`trialmesh secret set ${name}\` makes it`);
}

/** Whose names they are too: several people may use one home. */
export function readSecrets(home: string): Outcome<readonly KeptSecret[]> {
  const path = pathIn(home);
  if (!existsSync(path)) return accept([]);
  const text = readPrivateFile(path);
  if (!text.ok) return text;
  const json = parseJsonFile(path, text.value);
  if (!json.ok) return json;
  const parsed = parseOutside(fileSchema, json.value, path);
  return parsed.ok ? accept(parsed.value.secrets) : parsed;
}

function writeSecrets(home: string, secrets: readonly KeptSecret[]): Outcome<string> {
  return writePrivateFile(pathIn(home), `${JSON.stringify({ version: 1, secrets }, null, 2)}\n`);
}

function pathIn(home: string): string {
  return join(home, "secrets.json");
}
