/** Takes a managed runtime away, finished or not. One that is being installed is left to who installs it. */
import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { claimLock } from "../../system/folder-lock.ts";
import { partSuffix } from "../../system/partial-file.ts";
import type { ManagedRuntime } from "./managed-runtime.ts";
import { readRuntimeRecord } from "./runtime-record.ts";

/** False where there was nothing of it. */
export async function removeRuntime(runtime: ManagedRuntime, folder: string): Promise<Outcome<boolean>> {
  const target = join(folder, runtime.name);
  const staging = join(folder, `.staging-${runtime.name}`);
  if (!existsSync(target) && !existsSync(staging)) return accept(false);
  if (existsSync(target) && readRuntimeRecord(runtime, folder) === null)
    return refuse("conflict", `${target} is not of trialmesh's making and is left alone`);
  const stop = new AbortController();
  let holder: number | null = null;
  const lock = await claimLock(folder, runtime.name, stop.signal, (pid) => {
    holder = pid;
    stop.abort();
  });
  if (lock === null)
    return refuse(
      "conflict",
      `${runtime.name} is being installed just now (process ${holder}); stop that first`,
    );
  try {
    // Gone under its name at once, its bytes a moment later.
    const going = join(folder, `.going-${runtime.name}${partSuffix}`);
    for (const path of [target, staging]) {
      if (!existsSync(path)) continue;
      rmSync(going, { recursive: true, force: true });
      renameSync(path, going);
      rmSync(going, { recursive: true, force: true });
    }
    return accept(true);
  } finally {
    lock.release();
  }
}
