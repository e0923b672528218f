/** What people wrote about a sweep or a trial, as a view has it: absent where nobody wrote any. */
import type { Sweep } from "../state/state.ts";

export function labelsOf({ notes, tags }: Pick<Sweep, "notes" | "tags">): Pick<Sweep, "notes" | "tags"> {
  return { ...(tags === undefined ? null : { tags }), ...(notes === undefined ? null : { notes }) };
}
