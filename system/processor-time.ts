/** Time the processors have spent since the machine or a process began, in ms of processor time. It only reads counters. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { askProgram } from "./ask-program.ts";

export interface ProcessorTime {
  readonly idle: number;
  readonly total: number;
}

/** Of all processors together. */
export function machineTime(): ProcessorTime {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idle, total };
}

/** Of each of these processes with all its threads; null where this machine does not say. A process that ended is left out. */
export async function processTimes(pids: readonly number[]): Promise<ReadonlyMap<number, number> | null> {
  if (pids.length === 0) return new Map();
  if (process.platform === "linux") {
    return new Map(
      pids.flatMap((pid): [number, number][] => {
        const ms = linuxTime(pid);
        return ms === null ? [] : [[pid, ms]];
      }),
    );
  }
  if (process.platform === "win32") return null;
  const answer = await askProgram("ps", ["-o", "pid=,time=", "-p", pids.join(",")]);
  return answer.ok ? readPsTimes(answer.text) : null;
}

/** The kernel counts in hundredths of a second for whoever reads /proc (USER_HZ; proc(5)). */
const msPerTick = 10;

function linuxTime(pid: number): number | null {
  try {
    return readStatTime(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return null; // it has ended
  }
}

/** utime and stime are fields 14 and 15; the name, field 2, may hold blanks and parentheses. */
export function readStatTime(stat: string): number | null {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks * msPerTick : null;
}

/** Lines `PID [[DD-]HH:]MM:SS[.CC]`, as `ps -o pid=,time=` of BSD and of others prints them. */
export function readPsTimes(text: string): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  for (const line of text.split("\n")) {
    const [pid, time] = line.trim().split(/\s+/);
    if (pid === undefined || time === undefined) continue;
    const [clock = "", days = "0"] = time.split("-").toReversed();
    let seconds = Number(days) * 24;
    const parts = clock.split(":");
    if (parts.length === 2) parts.unshift("0");
    seconds = parts.reduce((sum, part, index) => (index === 0 ? sum : sum * 60) + Number(part), seconds);
    if (Number.isFinite(seconds)) times.set(Number(pid), seconds * 1000);
  }
  return times;
}

/**
 * Time in which processors of this virtual machine had work and were given to another one, in ms, since it started; 0 where the system
 * does not say. Node's counters leave it out (`steal` of proc_stat(5)).
 */
export function stolenTime(): number {
  if (process.platform !== "linux") return 0;
  try {
    return readStolenTime(readFileSync("/proc/stat", "latin1"));
  } catch {
    return 0;
  }
}

/** The eighth number of the line of all processors together. */
export function readStolenTime(stat: string): number {
  const line = stat.split("\n", 1)[0] ?? "";
  const [name, ...ticks] = line.trim().split(/\s+/);
  const stolen = Number(ticks[7]);
  return name === "cpu" && Number.isFinite(stolen) && stolen > 0 ? stolen * msPerTick : 0;
}

const microsecondsPerMs = 1_000;
const nanosecondsPerMs = 1_000_000;
/** Of the container's own group, as it sees it: cgroup v2, and v1. */
const throttleFiles = ["/sys/fs/cgroup/cpu.stat", "/sys/fs/cgroup/cpu/cpu.stat"];

/** Time in which this container was kept from the processors because it had used up what it may, in ms; 0 where there is no such limit. */
export function throttledTime(): number {
  if (process.platform !== "linux") return 0;
  for (const file of throttleFiles) {
    try {
      return readThrottledTime(readFileSync(file, "latin1"));
    } catch {
      // It is not there.
    }
  }
  return 0;
}

/** `throttled_usec` of cgroup v2, `throttled_time` in nanoseconds of v1. */
export function readThrottledTime(stat: string): number {
  const found = /^throttled_(usec|time) (\d+)$/m.exec(stat);
  if (found === null) return 0;
  return Number(found[2]) / (found[1] === "usec" ? microsecondsPerMs : nanosecondsPerMs);
}
