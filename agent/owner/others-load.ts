/** How much of the processors others use: what the machine spends, less what this agent and its children do. */
import { machineTime, processTimes } from "../../system/processor-time.ts";

/** Between two looks, at least, in ms of processor time: counters tick coarsely. */
const windowMinMs = 1_000;

/** Each call tells the share, 0 to 1, since the call before; null while or where it is not known. */
export function othersLoad(children: () => readonly number[]): () => Promise<number | null> {
  let machine = machineTime();
  let own = ownTime();
  let ofChildren: ReadonlyMap<number, number> = new Map();
  let share: number | null = null;
  return async () => {
    const times = await processTimes(children());
    const now = machineTime();
    const total = now.total - machine.total;
    if (total < windowMinMs) return share;
    const busy = total - (now.idle - machine.idle);
    const ownNow = ownTime();
    if (times === null) {
      share = null;
    } else {
      let ours = ownNow - own;
      // One that was not here before has spent all its time since.
      for (const [pid, ms] of times) ours += Math.max(0, ms - (ofChildren.get(pid) ?? 0));
      share = Math.min(1, Math.max(0, (busy - ours) / total));
    }
    machine = now;
    own = ownNow;
    ofChildren = times ?? new Map();
    return share;
  };
}

function ownTime(): number {
  const { system, user } = process.cpuUsage();
  return (system + user) / 1000;
}
