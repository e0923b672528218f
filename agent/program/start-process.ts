/**
 * Starts a command's process: in a group of its own, its output to be read, nothing of this process's open files with it.
 * Whatever stands in the way is told as a sentence, never thrown.
 */
import { spawn, type ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { spawnConfined, type Confinement } from "../sandbox/sandbox.ts";
import { withoutInherited } from "../../system/inherited-descriptor.ts";
import type { StartFault } from "./script-fault.ts";
import { faultBefore, faultWithin, startFault, type Start } from "./start-fault.ts";

export interface StartedProcess extends ChildProcess {
  readonly pid: number;
  readonly stdout: Readable;
  readonly stderr: Readable;
}

/** Null where it could not be started: `onFault` is called once, later. */
export function startProcess(
  start: Start & { readonly confinement?: Confinement | undefined },
  onFault: (fault: StartFault) => void,
): StartedProcess | null {
  const { confinement } = start;
  const fault = faultBefore(start) ?? (confinement === undefined ? null : faultWithin(start, confinement));
  if (fault !== null) {
    queueMicrotask(() => onFault(fault));
    return null;
  }
  try {
    const child = confinement === undefined ? spawnPlain(start) : spawnConfined(confinement, start);
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

function spawnPlain({ environment, folder, words }: Start): ChildProcess {
  const [program = "", ...rest] = words;
  return spawn(program, rest, {
    cwd: folder,
    env: environment,
    detached: process.platform !== "win32",
    stdio: withoutInherited(["ignore", "pipe", "pipe"] as const),
  });
}

function isStarted(child: ChildProcess): child is StartedProcess {
  return child.pid !== undefined && child.stdout !== null && child.stderr !== null;
}
