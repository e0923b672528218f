/**
 * A folder for the files of one model that is served, which goes with whoever opened it. What a process that was killed could not remove goes when the
 * next is made.
 */
import { readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { processIsAlive } from "../../system/process-alive.ts";
import { makeTemporaryFolder } from "../../system/temporary-folder.ts";

const prefix = "trialmesh-model-";
/** The process that made it stands in its name. */
const named = /^trialmesh-model-(\d+)-/;

const held = new Set<string>();

export interface ModelFolder {
  readonly path: string;
  /** Asked for twice it does nothing more. */
  readonly remove: () => void;
}

export function makeModelFolder(): ModelFolder {
  removeLeft();
  const path = makeTemporaryFolder(`${prefix}${process.pid}-`);
  if (held.size === 0) process.once("exit", removeHeld);
  held.add(path);
  const remove = () => {
    held.delete(path);
    if (held.size === 0) process.off("exit", removeHeld);
    rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  };
  return { path, remove };
}

function removeHeld(): void {
  for (const path of held) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
}

function removeLeft(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = Number(named.exec(name)?.[1]);
    if (!Number.isSafeInteger(pid) || processIsAlive(pid)) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true, maxRetries: 5 });
    } catch {
      // Somebody else's.
    }
  }
}
