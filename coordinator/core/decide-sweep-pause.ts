/**
 * Decides on pausing and resuming a sweep. PAUSE-1: a paused sweep proposes nothing and gets no slot; what runs goes on to its next
 * rung, or with `now` leaves at its next checkpoint. Asking those that run to leave is `propose.ts`'s, a part at a time.
 */
import type { CommandBody } from "../../protocol/command.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import type { Decision, Sender } from "../state/input.ts";
import type { State } from "../state/state.ts";
import { runningSweep } from "./own-sweep.ts";

/** Pausing at once what was paused gently before is a change; anything else a second time is not. */
export function* pauseSweep(
  state: State,
  sender: Sender,
  { now, sweep: id, why }: CommandBody<"sweep-pause">,
): Decision {
  const found = runningSweep(state, sender, id);
  if (!found.ok) return found;
  const { counts, paused } = found.value;
  if (paused !== undefined && (paused.now || !now)) {
    const right = `\`trialmesh sweep resume ${id}\` lets it go on`;
    return refuse("conflict", `${id} is paused already, by ${paused.by}; ${right}`, ["sweep"]);
  }
  yield { kind: "SweepPaused", sweep: id, by: sender.who, why, ...(now ? { now } : null) };
  return accept({ sweep: id, running: counts.running });
}

export function* resumeSweep(
  state: State,
  sender: Sender,
  { sweep: id }: CommandBody<"sweep-resume">,
): Decision {
  const found = runningSweep(state, sender, id);
  if (!found.ok) return found;
  const { counts, paused } = found.value;
  if (paused === undefined) return refuse("conflict", `${id} is not paused; it goes on as it is`, ["sweep"]);
  yield { kind: "SweepResumed", sweep: id, by: sender.who };
  return accept({ sweep: id, queued: counts.queued });
}
