/** ARCHIVE-4: which ended trials are archived next, of what the state says at one moment. Pure; not here: what they said. */
import type { SweepId } from "../../protocol/id.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { mustGet, type State, type Trial } from "../state/state.ts";

/** In one archive at most. */
export const archivedTogetherMax = 256;

/** Where streams may let go of something soon, so many times less is waited for what may still be on its way. */
const hurry = 4;

export interface DueTrials {
  readonly sweep: SweepId;
  /** At least one. */
  readonly trials: readonly Trial[];
}

type Settings = Pick<CoordinatorSettings, "archiveEveryMs" | "archiveRestMs">;

/**
 * Of a sweep that has ended all, of another what has waited long enough; `isPressed`: so much has been said since that streams may let go of the
 * oldest: then whatever has settled. Null where there is none. `at` in the coordinator's time, ms.
 */
export function dueTrials(
  state: State,
  at: number,
  settings: Settings,
  isPressed: boolean,
): DueTrials | null {
  for (const [id, waiting] of state.unarchived) {
    const { finishedAt } = mustGet(state.sweeps, id, "sweep");
    const [first] = waiting;
    if (first === undefined) continue;
    const settled = at - settings.archiveRestMs / (isPressed ? hurry : 1);
    const isDue =
      (finishedAt !== null && finishedAt <= settled) ||
      isPressed ||
      endOf(mustGet(state.trials, first, "trial")) <= at - settings.archiveEveryMs;
    if (!isDue) continue;
    const trials: Trial[] = [];
    for (const one of waiting) {
      const trial = mustGet(state.trials, one, "trial");
      if (endOf(trial) <= settled && trials.push(trial) === archivedTogetherMax) break;
    }
    if (trials.length > 0) return { sweep: id, trials };
  }
  return null;
}

/** When its last attempt had ended, ms. */
function endOf({ attempts }: Trial): number {
  return attempts.at(-1)?.endedAt ?? 0;
}
