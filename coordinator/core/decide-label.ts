/** Decides on tags and notes of sweeps, trials, models and datasets, whatever state these are in. TAG-1: bounded, sorted, each tag once. */
import type { CommandBody } from "../../protocol/command.ts";
import { tagsMax } from "../../protocol/label.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { ownEntry } from "../registry/find-entry.ts";
import type { Decision, Sender } from "../state/input.ts";
import type { State } from "../state/state.ts";
import { ownTrial } from "./decide-trial-stop.ts";
import { ownSweep } from "./own-sweep.ts";

export function* tagSweep(state: State, sender: Sender, body: CommandBody<"sweep-tag">): Decision {
  const found = ownSweep(state, sender, body.sweep);
  if (!found.ok) return found;
  const { sweep } = body;
  const tags = tagsWith(sweep, found.value.tags ?? [], body);
  if (!tags.ok) return tags;
  yield { kind: "SweepLabelled", sweep, by: sender.who, tags: tags.value };
  return accept({ sweep, tags: tags.value });
}

export function* tagTrial(state: State, sender: Sender, body: CommandBody<"trial-tag">): Decision {
  const found = ownTrial(state, sender, body.trial);
  if (!found.ok) return found;
  const { trial } = body;
  const tags = tagsWith(trial, found.value.tags ?? [], body);
  if (!tags.ok) return tags;
  yield { kind: "TrialLabelled", trial, by: sender.who, tags: tags.value };
  return accept({ trial, tags: tags.value });
}

export function* noteSweep(
  state: State,
  sender: Sender,
  { note: notes, sweep }: CommandBody<"sweep-note">,
): Decision {
  const found = ownSweep(state, sender, sweep);
  if (!found.ok) return found;
  yield { kind: "SweepLabelled", sweep, by: sender.who, notes };
  return accept({ sweep, notes });
}

export function* noteTrial(
  state: State,
  sender: Sender,
  { note: notes, trial }: CommandBody<"trial-note">,
): Decision {
  const found = ownTrial(state, sender, trial);
  if (!found.ok) return found;
  yield { kind: "TrialLabelled", trial, by: sender.who, notes };
  return accept({ trial, notes });
}

export function* tagEntry(
  state: State,
  sender: Sender,
  { add, remove, ...wanted }: CommandBody<"registry-tag">,
): Decision {
  const found = ownEntry(state, sender, wanted);
  if (!found.ok) return found;
  const { labels, name, of, text, version } = found.value;
  const tags = tagsWith(text, labels.tags ?? [], { add, remove });
  if (!tags.ok) return tags;
  const which = version === null ? null : { version };
  yield { kind: "EntryLabelled", of, name, ...which, by: sender.who, tags: tags.value };
  return accept({ entry: text, tags: tags.value });
}

export function* noteEntry(
  state: State,
  sender: Sender,
  { note: notes, ...wanted }: CommandBody<"registry-note">,
): Decision {
  const found = ownEntry(state, sender, wanted);
  if (!found.ok) return found;
  const { name, of, text, version } = found.value;
  const which = version === null ? null : { version };
  yield { kind: "EntryLabelled", of, name, ...which, by: sender.who, notes };
  return accept({ entry: text, notes });
}

function tagsWith(
  of: string,
  before: readonly string[],
  { add, remove }: Pick<CommandBody<"sweep-tag">, "add" | "remove">,
): Outcome<string[]> {
  const both = add.find((tag) => remove.includes(tag));
  if (both !== undefined)
    return refuse("invalid", `the tag ${both} is both given and taken away; say one of the two`, ["add"]);
  const tags = [...new Set([...before, ...add])].filter((tag) => !remove.includes(tag));
  if (tags.length <= tagsMax) return accept(tags.toSorted());
  return refuse("invalid", `${of} would have ${tags.length} tags; it may have ${tagsMax}`, ["add"]);
}
