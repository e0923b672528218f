/** Whether there is a process of that id. It may be another than the one meant: ids are used again. */
import { systemCode } from "./system-error.ts";

export function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === "EPERM";
  }
}
