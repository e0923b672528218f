/** A move of an alias on the command line: which version it will be and why is said before it is proven and done. */
import { askMove, moveAlias, type AliasMove } from "../../client/model/move-alias.ts";
import type { Connected } from "../../client/connect/connect-mesh.ts";
import type { CommandValue } from "../../protocol/command.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { Terminal } from "./terminal.ts";

export async function moveShown(
  terminal: Terminal,
  connected: Connected,
  move: AliasMove,
  why: string,
): Promise<Outcome<CommandValue<"model-promote">>> {
  const { client } = connected;
  const shown = await askMove(client, move);
  if (!shown.ok) return shown;
  if (shown.value.why !== "") terminal.note(`${move.model}@${shown.value.version}: ${shown.value.why}`);
  const { checkVersion } = await import("../../client/model/check-version.ts");
  return moveAlias(
    {
      client,
      check: (version) => checkVersion(connected, version, terminal),
      why,
      say: (line) => terminal.note(line),
    },
    move,
    shown.value,
  );
}
