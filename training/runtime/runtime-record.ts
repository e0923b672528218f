/**
 * What stands in the folder of managed runtimes: one record per runtime, written when its probe has passed.
 * A folder without a record is not one of ours, or was never finished, and counts as nothing.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { storedText } from "../../protocol/bound.ts";
import { backendNameSchema } from "../../protocol/capability.ts";
import { managedRuntimes, type ManagedRuntime } from "./managed-runtime.ts";
import { runtimeFolder } from "./managed-package.ts";

export const recordFile = "trialmesh-runtime.json";

export const runtimeRecordSchema = z.object({
  name: storedText,
  /** Null of one that trains nothing. */
  backend: backendNameSchema.nullable(),
  /** Of the npm package. */
  version: storedText,
  /** Of libtensorflow; null for a runtime without it. */
  tensorflow: storedText.nullable(),
  /** Where its libraries came from, to be shown. */
  source: storedText,
  bytes: z.int().nonnegative(),
  /** When its probe passed, ISO 8601; what it said it computes on. */
  provenAt: storedText,
  device: storedText.nullable(),
});
export type RuntimeRecord = z.infer<typeof runtimeRecordSchema>;

export function readRuntimeRecord(runtime: ManagedRuntime, folder = runtimeFolder()): RuntimeRecord | null {
  try {
    return runtimeRecordSchema.parse(
      JSON.parse(readFileSync(join(folder, runtime.name, recordFile), "utf8")),
    );
  } catch {
    return null;
  }
}

export function readRuntimeRecords(folder = runtimeFolder()): readonly RuntimeRecord[] {
  return managedRuntimes.flatMap((runtime) => readRuntimeRecord(runtime, folder) ?? []);
}
