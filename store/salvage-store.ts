/**
 * What can still be read of a damaged store's file. Another process reads, first from the beginning and, where it does not come to
 * the end, from the end; each entry that is as it was written is handed over before the next is looked at.
 */
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { deserialize } from "node:v8";
import * as z from "zod";
import { lockSuffix } from "./lmdb-file.ts";
import type { ChildEnvironment } from "./open-checked.ts";

export interface Salvage {
  readonly entries: readonly (readonly [key: string, value: unknown])[];
  /** How many it should have held; null where that cannot be read either. */
  readonly expected: number | null;
}

/** A line of the child: how many there should be, or an entry, its value serialised by V8 in base 64. */
export const salvageLine = z.union([
  z.strictObject({ expected: z.int().nonnegative() }),
  z.strictObject({ key: z.string(), value: z.base64() }),
]);
export type SalvageLine = z.infer<typeof salvageLine>;

/** `environment`: of those processes. */
export async function salvageStore(
  file: string,
  environment: ChildEnvironment = () => process.env,
): Promise<Salvage> {
  const found = new Map<string, unknown>();
  let expected: number | null = null;
  for (const direction of ["forward", "backward"]) {
    const here = fileURLToPath(import.meta.url);
    const entry = fileURLToPath(new URL(`./salvage-child${extname(here)}`, import.meta.url));
    const child = spawn(process.execPath, [...process.execArgv, entry, file, direction], {
      env: environment(),
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = once(child, "close");
    for await (const text of createInterface({ input: child.stdout })) {
      const line = readLine(text);
      if (line === null) continue;
      if ("expected" in line) ({ expected } = line);
      else found.set(line.key, deserialize(Buffer.from(line.value, "base64")));
    }
    await ended.catch(() => undefined);
    if (child.exitCode === 0) break;
  }
  rmSync(file + lockSuffix, { force: true });
  return { entries: [...found], expected };
}

/** Null for one that was cut short by the child's end. */
function readLine(text: string): SalvageLine | null {
  try {
    return salvageLine.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
