/** What the mesh is asked before a change of an alias is confirmed, and how any confirmed change is made. */
import type { CheckVersion } from "../client/model/check-version.ts";
import { askMove, moveAlias } from "../client/model/move-alias.ts";
import type { MeshClient } from "../protocol/client.ts";
import { accept, type Outcome } from "../protocol/refusal.ts";
import { confirmMove } from "./model/alias-confirm.ts";
import { why, withAlternatives, type Change, type Confirm, type MoveQuestion } from "./model/confirm.ts";

/** The moves that the mesh would make, as it says them; its first refusal where it would make none. */
export async function confirmOf(
  client: MeshClient,
  { model, moves }: MoveQuestion,
): Promise<Outcome<Confirm>> {
  const answers = await Promise.all(moves.map((move) => askMove(client, move)));
  const confirms = answers.flatMap((answer, at) => {
    const move = moves[at];
    return answer.ok && move !== undefined ? [confirmMove(model, move, answer.value)] : [];
  });
  const refused = answers.find((answer) => !answer.ok);
  return confirms.length === 0 && refused !== undefined ? refused : accept(withAlternatives(confirms));
}

/** Without `check` every version counts as able to serve. */
export async function makeChange(
  client: MeshClient,
  check: CheckVersion | undefined,
  change: Change,
): Promise<Outcome<unknown>> {
  if (change.kind === "command") return client.command(change.request.name, change.request.body);
  const able: CheckVersion = check ?? (() => Promise.resolve(accept({ answer: "" })));
  return moveAlias({ client, check: able, why, say: () => {} }, change.move, change.shown);
}
