/**
 * Starts a command's process: in a group of its own, its output to be read, nothing of this process's open files with it.
 * Whatever stands in the way is told as a sentence, never thrown.
 */
import { spawn, type ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { withoutInherited } from "../../system/inherited-descriptor.ts";
import type { StartFault } from "./script-fault.ts";
import { faultBefore, startFault, type Start } from "./start-fault.ts";

export interface StartedProcess extends ChildProcess {
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

/** Null where it could not be started: `onFault` is called once, later. */
export function startProcess(start: Start, onFault: (fault: StartFault) => void): StartedProcess | null {
  const fault = faultBefore(start);
  if (fault !== null) {
    queueMicrotask(() => onFault(fault));
    return null;
  }
  const [program = "", ...rest] = start.words;
  try {
    const child = spawn(program, rest, {
      cwd: start.folder,
      env: start.environment,
      detached: process.platform !== "win32",
      stdio: withoutInherited(["ignore", "pipe", "pipe"] as const),
    });
    if (isStarted(child)) {
      child.on("error", () => undefined); // a signal that found nobody
      return child;
    }
    child.once("error", (error: NodeJS.ErrnoException) => onFault(startFault(start, error)));
  } catch (error) {
    // Some refusals of the system are told as events, others are thrown.
    const thrown: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
    queueMicrotask(() => onFault(startFault(start, thrown)));
  }
  return null;
}

function isStarted(child: ChildProcess): child is StartedProcess {
  return child.pid !== undefined && child.stdout !== null && child.stderr !== null;
}
