/** How busy this machine is just now, whoever keeps it busy. */
import type { Load } from "../../agent/leader-link.ts";
import { bytesPerGiB } from "../../protocol/byte-unit.ts";
import { machineTime } from "../../system/processor-time.ts";

/** Between two looks at the processors' clocks, at least, in ms of their time: they tick coarsely. */
const windowMinMs = 500;

/** Each call tells the share of the processors' time that was used lately; null until that can be said. */
export function machineLoad(): () => Load {
  let before = machineTime();
  let cpuLoad: number | null = null;
  return () => {
    const now = machineTime();
    const total = now.total - before.total;
    if (total >= windowMinMs) {
      cpuLoad = Math.min(1, Math.max(0, 1 - (now.idle - before.idle) / total));
      before = now;
    }
    return { cpuLoad, memFreeGiB: process.availableMemory() / bytesPerGiB };
  };
}

/** Minutes since local midnight at `at`, in ms since the Unix epoch. */
export function minuteOfDay(at: number): number {
  const date = new Date(at);
  return date.getHours() * 60 + date.getMinutes();
}
