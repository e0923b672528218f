/** The refusal at launch where no known agent can ever run a sweep: which comes nearest, and what it lacks. */
import { explainMismatch, match } from "../../protocol/match.ts";
import type { Requirement } from "../../protocol/requirement.ts";
import { members } from "../state/member.ts";
import type { State } from "../state/state.ts";

/** The sentence, or null where some known agent fits (present or not) or none is known yet. */
export function nearestMiss(
  state: State,
  requester: string,
  kind: string,
  requirement: Requirement,
): string | null {
  let nearest: { agent: string; meant: boolean; lacks: string[] } | null = null;
  for (const { agent, capability, policy } of members(state)) {
    const mismatches = match({ agent, requester, kind, requirement }, capability, policy);
    if (mismatches.length === 0) return null;
    // One that was not meant at all tells nobody what to change.
    const meant = !mismatches.some(({ predicate }) => predicate.startsWith("agents."));
    const isNearer =
      nearest === null ||
      (meant && !nearest.meant) ||
      (meant === nearest.meant && mismatches.length < nearest.lacks.length);
    if (isNearer) nearest = { agent, meant, lacks: mismatches.map(explainMismatch) };
  }
  if (nearest === null) return null;
  return `no known agent can run ${kind}; the nearest is ${nearest.agent}, which lacks ${nearest.lacks.join("; ")}`;
}
