/**
 * The events of a batch in the newest format, whatever it was written in. Events are never edited in the journal: each format
 * has a step to the one after it, in a folder of its own that nothing changes any more, and every reader takes all steps.
 */
import type { Event } from "../format/event.ts";
import type { State } from "../state/state.ts";
import type { Batch } from "./batch.ts";
import { lift1 } from "./format-1/lift-1.ts";

/** One at a time: a step may ask the state, so each event must be applied before the next is taken. */
export function* eventsOf(state: State, batch: Batch): Generator<Event, void, void> {
  switch (batch.v) {
    case 1:
      for (const event of batch.events) yield lift1(state, event, batch.at);
      return;
    case 2:
    case 3:
      yield* batch.events;
  }
}
