/**
 * Moves an alias the way every client does it: asks the mesh which version that would be, has the version proven, and
 * commands exactly what was shown. Which version it is, is not decided here.
 */
import type { MeshClient } from "../../protocol/client.ts";
import type { CommandValue, QueryBody } from "../../protocol/command.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { ResolutionView } from "../../protocol/view.ts";
import type { CheckVersion } from "./check-version.ts";

/** A change of an alias that somebody wants, before it is known which version that means. */
export type AliasMove = Exclude<QueryBody<"resolve">, { of: "version" }>;

export interface MoveAliasOptions {
  readonly client: MeshClient;
  readonly check: CheckVersion;
  /** Kept in the record of the alias. */
  readonly why: string;
  /** Told what the version made of the example. */
  readonly say: (line: string) => void;
}

/** What the move would do now: the version, where the alias points, and why it is that version. */
export function askMove(client: MeshClient, move: AliasMove): Promise<Outcome<ResolutionView>> {
  return client.query("resolve", move);
}

/** Does what was shown, or nothing: refused where the version cannot serve, or where the mesh's answer is another by now. */
export async function moveAlias(
  options: MoveAliasOptions,
  move: AliasMove,
  shown: ResolutionView,
): Promise<Outcome<CommandValue<"model-promote">>> {
  const { check, client, say, why } = options;
  const checked = await check(shown);
  if (!checked.ok) return checked;
  say(`${shown.model}@${shown.version} answers: ${checked.value.answer}`);
  const expect = { from: shown.from, version: shown.version };
  const { alias, model } = move;
  return move.of === "promote"
    ? client.command("model-promote", { model, alias, version: move.version, why, expect })
    : client.command("model-rollback", { model, alias, to: move.to, why, expect });
}
