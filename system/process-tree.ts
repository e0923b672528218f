/** Processes by who started whom, as Linux tells it; elsewhere nobody is known to have started any. */
import { readFileSync } from "node:fs";

/**
 * Signals all that runs within a sandbox, and not the process that keeps it: whatever lost its parent in there has the sandbox as
 * one.
 */
export function signalWithin(sandbox: number, signal: NodeJS.Signals): void {
  for (const pid of descendantsOf(sandbox)) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}

function descendantsOf(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);
}

export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
    return text === "" ? [] : text.split(" ").map(Number);
  } catch {
    return [];
  }
}
