/** May trials run on this machine now? The owner's policy against the hour and the free memory. Pure. */
import type { Policy } from "../../protocol/capability.ts";

export interface Circumstances {
  /** Minutes since local midnight. */
  readonly minuteOfDay: number;
  /** Null where it cannot be known. */
  readonly memFreeGiB: number | null;
}

/** The reason why not, or null. */
export function closedBecause(policy: Policy, { memFreeGiB, minuteOfDay }: Circumstances): string | null {
  if (policy.slots === 0) return "the owner gives no slots";
  if (policy.hours !== null && !policy.hours.some((span) => within(span, minuteOfDay))) {
    const spans = policy.hours.map(({ from, to }) => `${from}-${to}`).join(", ");
    return `outside the owner's hours (${spans})`;
  }
  if (memFreeGiB !== null && memFreeGiB < policy.leaveFreeMemGiB) {
    return `${memFreeGiB.toFixed(1)} GiB of memory free, the owner wants ${policy.leaveFreeMemGiB} left`;
  }
  return null;
}

function within({ from, to }: { readonly from: string; readonly to: string }, minute: number): boolean {
  const start = minutes(from);
  const end = minutes(to);
  // A span may cross midnight; equal ends mean the whole day.
  if (start === end) return true;
  return start < end ? minute >= start && minute < end : minute >= start || minute < end;
}

function minutes(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}
