/** Asks the attempt of a requester above its share to make room at its next checkpoint. Runs with the clock, not with each event. */
import { choosePreemption } from "../placement/choose-victim.ts";
import type { Steps } from "../state/input.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import type { State } from "../state/state.ts";

export function* preempt(state: State, at: number, settings: CoordinatorSettings): Steps {
  const chosen = choosePreemption(state, at, settings);
  if (chosen === null) return;
  const { fence, forRequester, forTrial, victim } = chosen;
  yield {
    kind: "CancelRequested",
    fence,
    reason: `made room for ${forTrial.trial} of ${forRequester}; ${victim} had more than its share`,
    how: "checkpoint",
    preemptedFor: forRequester,
  };
}
