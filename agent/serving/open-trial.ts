/**
 * DEPLOY-17. The trial of a replica's revision: its canary and its shadow held against its incumbent on the requests that reach this replica, and what of that its agent is told. What
 * follows for the whole deployment is the coordinator's.
 */
import { logWealthMax, trialAlpha, type Serving, type TrialSeen } from "../../protocol/deployment.ts";
import { RolloutDesk } from "../../serving/server/rollout-desk.ts";
import type { Loaded } from "./load-place.ts";

/** As `trialmesh serve` asks where nobody says otherwise: of a canary's answers, what has to be as the incumbent's. */
const agreement = 0.98;

/** Null where nothing is on trial. `onCanaryOff`: this replica alone has seen enough. */
export function openTrial(
  { alpha = trialAlpha }: Serving,
  { canary, incumbent, shadow }: Loaded,
  onCanaryOff: (why: string) => void,
): RolloutDesk | null {
  if (canary === null && shadow === null) return null;
  return new RolloutDesk({
    ...{ incumbent, canary, shadow, alpha, agreement, copyShare: 1, promoteAfter: null },
    onPromote: () => undefined,
    now: () => performance.now(),
    defer: (run) => void setImmediate(run),
    onCanaryOff: (why) => onCanaryOff(typeof why === "string" ? why : (why?.why ?? "")),
  });
}

export function trialSeen({ rollout }: Pick<RolloutDesk, "rollout">, revision: number): TrialSeen[] {
  return (["canary", "shadow"] as const).flatMap((role) => {
    const comparison = rollout.comparison(role);
    if (comparison === null) return [];
    const { agreed, challengerFailed, compared, incumbentFailed, pairs, times, truths } = comparison.counts;
    const logWealth = Math.min(logWealthMax, Math.max(-logWealthMax, Math.log(comparison.evidence)));
    const takenBack = role === "canary" ? rollout.verdict?.why : undefined;
    return {
      ...{ role, revision, pairs, incumbentFailed, challengerFailed, compared, agreed, times, truths },
      ...{ logWealth, ...(takenBack === undefined ? null : { takenBack }) },
    };
  });
}
