/**
 * One process for each role and name in a home: two agents with one store and one credential would
 * undo each other's work. A lock whose process is gone is taken over.
 */
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Home } from "../home.ts";
import { ensurePrivateFolder, refuseDisk, systemCode } from "../../system/private-file.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { isAlive, runFolder } from "./up-record.ts";

export interface ProcessLock {
  release(): void;
}

const attemptsMax = 3;
const pollMs = 100;
/** A part whose parent was killed still saves its work; its successor waits this long for it. */
const patienceMs = 20_000;

export async function claimProcess(home: Home, role: string, name: string): Promise<Outcome<ProcessLock>> {
  const deadline = performance.now() + (process.connected ? patienceMs : 0);
  for (;;) {
    const claim = claimNow(home, role, name);
    if (claim.ok || claim.refusal.code !== "conflict" || performance.now() >= deadline) return claim;
    await sleep(pollMs);
  }
}

function claimNow(home: Home, role: string, name: string): Outcome<ProcessLock> {
  const folder = ensurePrivateFolder(runFolder(home));
  if (!folder.ok) return folder;
  const path = join(folder.value, `${role}.${name}.pid`);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    try {
      const file = openSync(path, "wx", 0o600);
      writeSync(file, String(process.pid));
      closeSync(file);
      return accept({ release: () => rmSync(path, { force: true }) });
    } catch (error) {
      if (systemCode(error) !== "EEXIST") return refuseDisk(error, "write", path);
    }
    const holder = holderOf(path);
    if (holder !== null) {
      return refuse(
        "conflict",
        `${role} ${name} of ${home.path} runs already (process ${holder}); stop it first, or give this one another name with --name`,
      );
    }
    rmSync(path, { force: true });
  }
  return refuse("conflict", `another ${role} ${name} of ${home.path} is starting just now; try again`);
}

/** The process id in the file, if that process lives and is one of ours (ids are used again after a restart). */
function holderOf(path: string): number | null {
  const pid = existsSync(path) ? Number(readFileSync(path, "utf8").trim()) : Number.NaN;
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid || !isAlive(pid)) return null;
  const commandLine = `/proc/${pid}/cmdline`;
  if (!existsSync("/proc/self/cmdline")) return pid;
  try {
    return /trialmesh|main\.(ts|js)/.test(readFileSync(commandLine, "utf8")) ? pid : null;
  } catch {
    return null;
  }
}
