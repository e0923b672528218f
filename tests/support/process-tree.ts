/** A process and all that descends from it, where the system tells (`/proc`); else the process alone. It only reads. */
import { readFileSync } from "node:fs";

/** Pids, a parent before its children; what has ended is left out. */
export function processesUnder(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
    return [
      pid,
      ...(children === "" ? [] : children.split(" ")).flatMap((child) => processesUnder(Number(child))),
    ];
  } catch {
    return [pid];
  }
}
