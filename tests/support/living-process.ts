/** Whether a process lives, as Linux tells it: what has ended and is not yet collected (a zombie) does not. */
import { readFileSync } from "node:fs";
import { until } from "./until.ts";

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ");
  } catch {
    return false;
  }
}

export async function gone(pid: number): Promise<void> {
  await until(`the end of process ${pid}`, () => !isAlive(pid) || null);
}
