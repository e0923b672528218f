/**
 * What others took of a machine's processors while something of our own ran: what all of them spent, less what this process did, and
 * what a hypervisor gave to other machines (PROBE-13). Arithmetic on counters that only grow; what a graphics card does is not seen here.
 */
import { machineTime, stolenTime, type ProcessorTime } from "../../system/processor-time.ts";

/** Counters at one moment, in ms of processor time. */
export interface Spent {
  readonly machine: ProcessorTime;
  /** By this process with all its threads. */
  readonly own: number;
  /** Wanted by this machine, and given to another by its hypervisor. */
  readonly stolen: number;
}

/** Above this share a measurement counts as made under load; with less, what it is off by is less too. */
export const loadMax = 0.1;

/** The system counts in hundredths of a second: of less than this nothing can be said, ms of processor time. */
const windowMinMs = 50;

/** From 0 to 1; null where too little time went by, or the counters stand still or went back. */
export function othersShare(before: Spent, after: Spent): number | null {
  const stolen = Math.max(0, after.stolen - before.stolen);
  const total = after.machine.total - before.machine.total + stolen;
  const idle = after.machine.idle - before.machine.idle;
  if (!(total >= windowMinMs) || !(idle >= 0)) return null;
  const others = total - idle - Math.max(0, after.own - before.own);
  return Math.min(1, Math.max(0, others / total));
}

export function readSpent(): Spent {
  const { system, user } = process.cpuUsage();
  return { machine: machineTime(), own: (system + user) / 1000, stolen: stolenTime() };
}

/** Each call tells the share since the call before. */
export function othersShareMeter(): () => number | null {
  let before = readSpent();
  return () => {
    const now = readSpent();
    const share = othersShare(before, now);
    before = now;
    return share;
  };
}
