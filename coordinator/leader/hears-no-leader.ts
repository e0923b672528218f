/** Does anybody lead? Only a hint about when to try: the journal decides. */
import { BusError, type Bus } from "../../protocol/bus/bus.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { toBytes } from "../../protocol/json-bytes.ts";

const pingTimeoutMs = 1_000;

export interface LeaderPing {
  readonly bus: Bus;
  readonly clock: Clock;
  /** Subject of a question that every leader answers. */
  readonly subject: string;
  /** A leader that listens and says nothing hangs; it gets this long. */
  readonly patienceMs: number;
  /** LEAD-2: whether it was heard of lately all the same; then its answers are only slow. */
  readonly isHeard: () => boolean;
}

/** True where nobody answers for the leader; false where somebody does, or where it cannot be known. */
export async function hearsNoLeader({
  bus,
  clock,
  isHeard,
  patienceMs,
  subject,
}: LeaderPing): Promise<boolean> {
  const began = clock.monotonic();
  for (;;) {
    try {
      await bus.request(subject, toBytes({}), pingTimeoutMs);
      return false;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      if (error.kind === "no-responders") return true;
      if (error.kind !== "timeout" || isHeard()) return false;
      if (clock.monotonic() - began >= patienceMs) return true;
    }
  }
}
