/**
 * Decides on removing and restoring a sweep. REMOVE-1: one that was removed is out of sight and answers for nothing; the journal and
 * the bytes it stored stay (for as long as `gc policy` says), and so does what others made of it. REMOVE-2: what stands on it is named, and takes `force`.
 */
import type { CommandBody } from "../../protocol/command.ts";
import { namedList } from "../../protocol/plural.ts";
import { accept, refuse } from "../../protocol/refusal.ts";
import type { Decision, Sender } from "../state/input.ts";
import type { State } from "../state/state.ts";
import { dependentsOf } from "../state/dependent.ts";
import { searchingSweep } from "./own-sweep.ts";

export function* removeSweep(
  state: State,
  sender: Sender,
  { force, sweep: id, why }: CommandBody<"sweep-remove">,
): Decision {
  const found = searchingSweep(state, sender, id);
  if (!found.ok) return found;
  const sweep = found.value;
  if (sweep.finishedAt === null) {
    const message = `${id} has not ended; \`trialmesh sweep stop ${id}\` ends it`;
    return refuse("conflict", message, ["sweep"]);
  }
  if (sweep.removed !== undefined)
    return refuse("conflict", `${id} is removed already, by ${sweep.removed.by}`, ["sweep"]);
  const dependents = dependentsOf(state, sweep);
  if (dependents.length > 0 && !force) {
    const message = `on ${id} stands ${namedList(dependents)}; they stay as they are, and \`--force\` removes it all the same`;
    return refuse("conflict", message, ["force"]);
  }
  yield { kind: "SweepRemoved", sweep: id, by: sender.who, why };
  return accept({ sweep: id, trials: sweep.proposed, spent: sweep.spent, dependents });
}

export function* restoreSweep(
  state: State,
  sender: Sender,
  { sweep: id }: CommandBody<"sweep-restore">,
): Decision {
  const found = searchingSweep(state, sender, id);
  if (!found.ok) return found;
  if (found.value.removed === undefined)
    return refuse("conflict", `${id} is not removed; it is in the list`, ["sweep"]);
  yield { kind: "SweepRestored", sweep: id, by: sender.who };
  return accept({ sweep: id });
}
