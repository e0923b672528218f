/** SFQ-6: a requester's sweeps with something to place, in the order they are served: priority, then the fair order. */
import { mustGet, type Account, type State, type Sweep } from "../state/state.ts";
import { startsTrials } from "../state/starts-trials.ts";
import { fairOrder } from "./fair-queue.ts";

export function* sweepOrder(state: State, account: Account, at: number): Generator<Sweep, void, void> {
  const waiting: Sweep[] = [];
  for (const id of mustGet(state.open, account.requester, "open sweeps of")) {
    const sweep = mustGet(state.sweeps, id, "sweep");
    if (startsTrials(sweep) && sweep.counts.queued > 0) waiting.push(sweep);
  }
  // Highest priority first, and each priority in its own fair order.
  const priorities = [...new Set(waiting.map(({ priority }) => priority))].sort((a, b) => b - a);
  for (const priority of priorities) {
    const equals = waiting.filter((sweep) => sweep.priority === priority);
    yield* fairOrder(equals, ({ sweep }) => sweep, account.sweepTime, at);
  }
}
