/** How busy this machine is just now, whoever keeps it busy. */
import { cpus } from "node:os";
import type { Load } from "../../agent/agent.ts";

const bytesPerGiB = 1024 ** 3;

/** Between two looks at the processors' clocks, at least, in ms of their time: they tick coarsely. */
const windowMinMs = 500;

/** Each call tells the share of the processors' time that was used lately; null until that can be said. */
export function machineLoad(): () => Load {
  let before = cpuTimes();
  let cpuLoad: number | null = null;
  return () => {
    const now = cpuTimes();
    const total = now.total - before.total;
    if (total >= windowMinMs) {
      cpuLoad = Math.min(1, Math.max(0, 1 - (now.idle - before.idle) / total));
      before = now;
    }
    return { cpuLoad, memFreeGiB: process.availableMemory() / bytesPerGiB };
  };
}

function cpuTimes(): { readonly idle: number; readonly total: number } {
  let idle = 0;
  let total = 0;
  for (const { times } of cpus()) {
    idle += times.idle;
    total += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idle, total };
}

/** Minutes since local midnight at `at`, in ms since the Unix epoch. */
export function minuteOfDay(at: number): number {
  const date = new Date(at);
  return date.getHours() * 60 + date.getMinutes();
}
