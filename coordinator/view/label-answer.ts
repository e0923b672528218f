/** What people wrote about something, as a view has it: absent where nobody wrote any; and that all of it is removed. */
import type { Sweep } from "../state/state.ts";

export function labelsOf({ notes, tags }: Pick<Sweep, "notes" | "tags">): Pick<Sweep, "notes" | "tags"> {
  return { ...(tags === undefined ? null : { tags }), ...(notes === undefined ? null : { notes }) };
}

export function removedText(of: "dataset" | "model", name: string): string {
  return `${of} ${name} is removed; \`trialmesh ${of} restore ${name}\` brings it back, and \`trialmesh ${of} show ${name} --all\` shows what it was`;
}
