/**
 * Decides on alias moves. REG-1: an alias points to an existing version; REG-2: every move stands in the ledger;
 * REG-4: what was shown before it was confirmed is what is done, or nothing is. Which version is meant is resolved
 * in `resolve-version.ts`, for the command as for the question before it.
 */
import type { CommandBody } from "../../protocol/command.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { ResolutionView } from "../../protocol/view.ts";
import { resolvePromote, resolveRollback } from "./resolve-version.ts";
import type { Decision } from "../state/input.ts";
import type { State } from "../state/state.ts";

type Move = CommandBody<"model-promote"> | CommandBody<"model-rollback">;

export function decidePromote(state: State, who: string, body: CommandBody<"model-promote">): Decision {
  return moveAlias(resolvePromote(state, body), who, body, "promote");
}

export function decideRollback(state: State, who: string, body: CommandBody<"model-rollback">): Decision {
  return moveAlias(resolveRollback(state, body), who, body, "rollback");
}

function* moveAlias(
  found: Outcome<ResolutionView>,
  who: string,
  { alias, expect, why }: Move,
  how: "promote" | "rollback",
): Decision {
  if (!found.ok) return found;
  const { from, model, version: to } = found.value;
  const changed = expect === null ? null : whatChanged(found.value, alias, expect);
  if (changed !== null) return refuse("conflict", `nothing was changed: ${changed}; ask again`, ["expect"]);
  yield { kind: "AliasMoved", model, alias, from, to, who, why, how };
  return accept({ model, alias, version: to, from });
}

/** REG-4: compare-and-set, so that nobody confirms one version and gets another. Null where all is as it was shown. */
function whatChanged(
  { from, model, version, why }: ResolutionView,
  alias: string,
  shown: NonNullable<Move["expect"]>,
): string | null {
  if (from !== shown.from)
    return `${model}@${alias} points to ${versionText(from)} now, not to ${versionText(shown.from)}`;
  if (version === shown.version) return null;
  return `the version meant is ${version} now, not ${shown.version}${why === "" ? "" : ` (${why})`}`;
}

function versionText(version: number | null): string {
  return version === null ? "nothing" : `version ${version}`;
}
