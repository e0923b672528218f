/**
 * One process for each role and name in a home: two agents with one store and one credential would
 * undo each other's work. A lock whose process is gone is taken over.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Home } from "../home.ts";
import { tryLock, type FolderLock } from "../../system/folder-lock.ts";
import { ensurePrivateFolder } from "../../system/private-file.ts";
import { refuseDisk } from "../../system/system-error.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { isPart } from "./part.ts";
import { runFolder } from "./up-record.ts";

const pollMs = 100;
/** A part whose parent was killed still saves its work; its successor waits this long for it. */
const patienceMs = 20_000;

export async function claimProcess(home: Home, role: string, name: string): Promise<Outcome<FolderLock>> {
  const deadline = performance.now() + (isPart() ? patienceMs : 0);
  for (;;) {
    const claim = claimNow(home, role, name);
    if (claim.ok || claim.refusal.code !== "conflict" || performance.now() >= deadline) return claim;
    await sleep(pollMs);
  }
}

function claimNow(home: Home, role: string, name: string): Outcome<FolderLock> {
  const folder = ensurePrivateFolder(runFolder(home));
  if (!folder.ok) return folder;
  try {
    const claim = tryLock(folder.value, `${role}.${name}`);
    if (claim.held) return accept(claim.lock);
    if (claim.holder === null)
      return refuse("conflict", `another ${role} ${name} of ${home.path} is starting just now; try again`);
    return refuse(
      "conflict",
      `${role} ${name} of ${home.path} runs already (process ${claim.holder}); stop it first, or give this one another name with --name`,
    );
  } catch (error) {
    return refuseDisk(error, "write", folder.value);
  }
}
