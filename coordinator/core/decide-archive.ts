/**
 * ARCHIVE-1. Decides whether an archive counts: its bytes are in the mesh's store, and every trial in it still waits for one. What a leader of before
 * has made meanwhile, or makes twice, counts once; what is left of the other is nobody's and goes.
 */
import type { Event } from "../format/event.ts";
import type { MadeArchive } from "../state/input.ts";
import type { State } from "../state/state.ts";

export function* noteArchived(state: State, made: MadeArchive): Generator<Event, void, void> {
  const { bytes, curves, curvesTo, logs, logsTo, sweep, trials } = made;
  const waiting = state.unarchived.get(sweep);
  if (trials.length === 0 || new Set(trials).size < trials.length) return;
  if (trials.some((trial) => waiting?.has(trial) !== true)) return;
  const archive = state.meta.nextArchive ?? 1;
  yield {
    ...{ kind: "TrialsArchived", archive, sweep, trials: [...trials], bytes, curvesTo, logsTo },
    ...(curves === null ? null : { curves }),
    ...(logs === null ? null : { logs }),
  };
}
