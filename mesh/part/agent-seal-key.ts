/** The key that secrets are sealed to for this agent: made at its first start, kept in its folder, which no program sees. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { shortText } from "../../protocol/bound.ts";
import { accept, parseOutside, type Outcome } from "../../protocol/refusal.ts";
import { newSealKey, type SealKey } from "../../protocol/hpke.ts";
import { parseJsonFile, readPrivateFile, writePrivateFile } from "../../system/private-file.ts";

const fileSchema = z.strictObject({ version: z.literal(1), publicKey: shortText, privateKey: shortText });

export function agentSealKey(folder: string): Outcome<SealKey> {
  const path = join(folder, "seal-key.json");
  if (!existsSync(path)) {
    const key = newSealKey();
    const written = writePrivateFile(path, `${JSON.stringify({ version: 1, ...key })}\n`);
    return written.ok ? accept(key) : written;
  }
  const text = readPrivateFile(path);
  if (!text.ok) return text;
  const json = parseJsonFile(path, text.value);
  if (!json.ok) return json;
  const parsed = parseOutside(fileSchema, json.value, path);
  if (!parsed.ok) return parsed;
  const { privateKey, publicKey } = parsed.value;
  return accept({ privateKey, publicKey });
}
