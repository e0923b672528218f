/** What people wrote about something on record, as an event brings it. Not who may: that was decided. */
import type { Sweep } from "../state/state.ts";

type Labels = Pick<Sweep, "notes" | "tags">;

/** What is left out stays; an empty list and an empty text take away what there was. */
export function setLabels(of: Labels, { notes, tags }: Labels): void {
  if (tags !== undefined) {
    if (tags.length === 0) delete of.tags;
    else of.tags = tags;
  }
  if (notes === undefined) return;
  if (notes === "") delete of.notes;
  else of.notes = notes;
}
