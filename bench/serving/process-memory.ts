/** A process and all below it: processor time and memory, from /proc, so on Linux only. */
import { readdirSync, readFileSync } from "node:fs";

export interface TreeProcess {
  readonly pid: number;
  readonly processorMs: number;
  readonly rssBytes: number;
}

/** USER_HZ, which Linux has fixed at 100 for what it shows. */
const msPerTick = 10;
const pageBytes = 4_096;

export function processTree(root: number): readonly TreeProcess[] {
  const parents = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    const fields = /^\d+$/.test(entry) ? statOf(Number(entry)) : null;
    if (fields === null) continue;
    const parent = Number(fields[1]);
    parents.set(parent, [...(parents.get(parent) ?? []), Number(entry)]);
  }
  const found: TreeProcess[] = [];
  const todo = [root];
  for (let pid = todo.pop(); pid !== undefined; pid = todo.pop()) {
    todo.push(...(parents.get(pid) ?? []));
    const fields = statOf(pid);
    if (fields === null) continue;
    const processorMs = (Number(fields[11]) + Number(fields[12])) * msPerTick;
    found.push({ pid, processorMs, rssBytes: Number(fields[21]) * pageBytes });
  }
  return found;
}

/** From its state on, behind the program's name in parentheses; null where it has ended. */
function statOf(pid: number): readonly string[] | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
  } catch {
    return null;
  }
}
