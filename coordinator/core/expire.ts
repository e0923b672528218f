/** Leases that ran out: only past the prepaid horizon and a grace may a trial go to another agent. */
import type { Part } from "../state/input.ts";
import { endAttempt } from "./outcome.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { attemptByFence, type State } from "../state/state.ts";

export function* expire(
  state: State,
  at: number,
  settings: CoordinatorSettings,
  isFull: () => boolean,
): Part {
  for (const fence of [...state.active.keys()]) {
    const found = attemptByFence(state, fence);
    if (found === null || at <= found.attempt.until + settings.graceMs) continue;
    if (isFull()) return false;
    const { trial, attempt } = found;
    const why =
      attempt.state === "offered" ? `${attempt.agent} never took it up` : `${attempt.agent} fell silent`;
    yield* endAttempt(state, trial, attempt, { ending: "lost", why }, settings);
  }
  return true;
}
