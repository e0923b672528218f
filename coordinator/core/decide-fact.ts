/**
 * REG-9. Takes down what was found out of a version by using it: an example with its answer, what answering takes. Each once: what
 * a version answers does not change, and an example that could be replaced would prove nothing.
 */
import type { CommandBody } from "../../protocol/command.ts";
import { accept } from "../../protocol/refusal.ts";
import { ownEntry } from "../registry/find-entry.ts";
import type { Decision, Sender } from "../state/input.ts";
import type { State } from "../state/state.ts";

export function* noteFact(
  state: State,
  sender: Sender,
  { example, measured, model, version }: CommandBody<"model-fact">,
): Decision {
  const found = ownEntry(state, sender, { of: "model", name: model, version });
  if (!found.ok) return found;
  const known = state.models.get(model)?.versions.find((each) => each.version === version);
  const fresh = {
    ...(example === null || known?.example !== undefined ? null : { example }),
    ...(measured === null || known?.measured !== undefined ? null : { measured }),
  };
  const told = { example: fresh.example !== undefined, measured: fresh.measured !== undefined };
  if (told.example || told.measured)
    yield { kind: "EntryLabelled", of: "model", name: model, version, by: sender.who, ...fresh };
  return accept({ entry: found.value.text, ...told });
}
