/** Every process that belongs to a home: started with its path in the environment, as all parts, guards and programs are. */
import { markedProcesses } from "../../system/marked-process.ts";
import { isAlive } from "./living-process.ts";
import { until } from "./until.ts";

export function processesOf(homePath: string): readonly number[] {
  return markedProcesses(homePath).filter(isAlive);
}

/** Waits until there is none. */
export async function allGone(homePath: string): Promise<void> {
  await until(`the end of all processes of ${homePath}`, (note) => {
    const left = processesOf(homePath);
    note(left);
    return left.length === 0 || null;
  });
}

export function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
