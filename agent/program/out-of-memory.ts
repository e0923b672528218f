/** Whether a program ended for lack of memory: by what the kernel counted, or by what it said at its end. */
import { readFileSync } from "node:fs";

/** Last words of Python, PyTorch, C++, Node and Java, and of a fork that failed. */
const lastWords =
  /MemoryError|out of memory|std::bad_alloc|Cannot allocate memory|Unable to allocate|java\.lang\.OutOfMemoryError/i;

export function saysOutOfMemory(line: string): boolean {
  return lastWords.test(line);
}

/** Kills by the kernel in this process's own control group so far; null where nobody counts. */
export function kernelKills(): number | null {
  if (process.platform !== "linux") return null;
  try {
    const group = /^0::(.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1] ?? "";
    const events = readFileSync(`/sys/fs/cgroup${group}/memory.events`, "utf8");
    const count = /^oom_kill (\d+)$/m.exec(events)?.[1];
    return count === undefined ? null : Number(count);
  } catch {
    return null;
  }
}
