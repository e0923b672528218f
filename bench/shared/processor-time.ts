/**
 * Processor time of a process and its descendants, by what they run. From /proc, so on Linux only: elsewhere it
 * is empty. On a shared machine it says more than the clock does.
 */
import { readFileSync } from "node:fs";

/** USER_HZ, which Linux has fixed at 100 for what it shows. */
const msPerTick = 10;

/** Milliseconds so far, by label: `server`, or the subcommand of trialmesh. */
export function processorTimes(pid: number): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  try {
    addTimes(pid, times);
  } catch {
    // No /proc, or a process has just ended: what was read so far stands.
  }
  return times;
}

function addTimes(pid: number, times: Map<string, number>): void {
  const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  const main = words.findIndex((word) => /main\.(js|ts)$/.test(word));
  const label = main < 0 ? "server" : (words[main + 1] ?? "");
  // Behind the program's name in parentheses; user and system time are fields 14 and 15 of all.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  times.set(label, (times.get(label) ?? 0) + ticks * msPerTick);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  for (const child of children === "" ? [] : children.split(" ")) addTimes(Number(child), times);
}
