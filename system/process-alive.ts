/**
 * Whether there is a process of that id, and when it started: ids are used again, and only both together name one process.
 * What has ended and is not yet collected by its parent (a zombie) counts as gone: it does nothing more and holds nothing.
 */
import { readFileSync } from "node:fs";
import { systemCode } from "./system-error.ts";

export function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) !== "EPERM") return false;
  }
  const state = statusOf(pid)?.[stateField];
  return state !== "Z" && state !== "X";
}

/** When it started, in ticks since the machine did; null where the system does not say. */
export function startOfProcess(pid: number): string | null {
  return statusOf(pid)?.[startField] ?? null;
}

/** The very process that started then, not one that was given its number later. `started` null: nobody knows when. */
export function isSameProcess(pid: number, started: string | null): boolean {
  if (!processIsAlive(pid)) return false;
  const now = startOfProcess(pid);
  return started === null || now === null || now === started;
}

/** Of /proc/<pid>/stat, counted from behind the program's name. */
const stateField = 0;
const startField = 19;

function statusOf(pid: number): readonly string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The program's name, in brackets, may hold anything.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return null;
  }
}
