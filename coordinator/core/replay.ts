/** What stands in the journal, applied: the way by which a standby follows and an outsider checks. */
import type { Event } from "../format/event.ts";
import type { Batch } from "../journal/batch.ts";
import { eventsOf } from "../journal/lift.ts";
import type { State } from "../state/state.ts";
import { apply } from "./apply.ts";

/** Returns the batch's events in the newest format. */
export function replay(state: State, batch: Batch): readonly Event[] {
  const events: Event[] = [];
  for (const event of eventsOf(state, batch)) {
    apply(state, event, batch.at);
    events.push(event);
  }
  return events;
}
