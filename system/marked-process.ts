/**
 * Processes found by a word in the environment that they were started with, wherever they have moved since: into another
 * group, another session, away from their parent. Linux alone shows it, and only of one's own processes; what was started
 * with another environment, or has written over it, is not found.
 */
import { readdirSync, readFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import type { Environment } from "./environment.ts";

/** Names each run around a process, the outermost first: by it is found at the end what has left its group. */
export const runVariable = "TRIALMESH_RUN";
const markBytes = 16;

/** A word that stands in no environment by chance. */
export function newMark(): string {
  return randomBytes(markBytes).toString("hex");
}

/** The environment with one more run around it; `mark` is that run's name. */
export function markedEnvironment(environment: Environment, mark: string): Environment {
  const around = environment[runVariable];
  return { ...environment, [runVariable]: around === undefined ? mark : `${around}:${mark}` };
}

/** One of them may have started another between two looks. */
const roundsMax = 20;
const roundMs = 20;

/** `mark`: random enough to stand nowhere by chance. */
export function markedProcesses(mark: string, except: number | null = null): readonly number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    const isOther = Number.isInteger(pid) && pid !== process.pid && pid !== except;
    return isOther && environmentHas(pid, mark) ? [pid] : [];
  });
}

export function signalMarked(mark: string, signal: NodeJS.Signals, except: number | null = null): number {
  const found = markedProcesses(mark, except);
  for (const pid of found) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
  return found.length;
}

/** Kills them until there is none. */
export async function endMarked(mark: string, except: number | null = null): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    if (signalMarked(mark, "SIGKILL", except) === 0) return;
    await wait(roundMs);
  }
}

/** One that has ended and was not waited for has no environment any more. */
function environmentHas(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`).includes(mark);
  } catch {
    return false;
  }
}
