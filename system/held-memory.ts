/** How much memory processes hold, as the system counts it. It only reads; what is too much is for others to say. */
import { readFileSync } from "node:fs";
import { bytesPerMiB } from "../protocol/byte-unit.ts";
import { childrenOf } from "./process-tree.ts";

/** Of Linux on every machine Node runs on but some ARM servers, whose pages are larger and whose figures then too small. */
const pageBytes = 4096;

/** Resident MiB of one process; null where this system does not say, or the process is gone. */
export function heldMiB(pid: number): number | null {
  if (process.platform !== "linux") return null;
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]);
    return Number.isFinite(pages) ? (pages * pageBytes) / bytesPerMiB : null;
  } catch {
    return null;
  }
}

/** Of a process and everything it started that is still its descendant; pages they share count for each. */
export function heldByTreeMiB(pid: number): number | null {
  const own = heldMiB(pid);
  if (own === null) return null;
  let sum = own;
  for (const child of childrenOf(pid)) sum += heldByTreeMiB(child) ?? 0;
  return sum;
}
