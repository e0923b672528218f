/** The versions on trial in a deployment as people see them: what all its replicas have seen, by their agents' last word where there is a newer one than in the record. */
import type { TrialSeen } from "../../protocol/deployment.ts";
import type { DeploymentTrialView } from "../../protocol/deployment-view.ts";
import { nothingSeen, sumSeen } from "../core/apply-deployment-trial.ts";
import type { Deployment } from "../state/state.ts";

type Role = TrialSeen["role"];
type Heard = readonly { readonly fence: number; readonly seen: readonly TrialSeen[] }[];

/** `heard`: of replicas that run. */
export function trialViewsOf({ revision, trial, versions }: Deployment, heard: Heard): DeploymentTrialView[] {
  if (trial === undefined) return [];
  return versions.flatMap(({ model, role, share, version }) => {
    if (role === "incumbent") return [];
    const said = heard.flatMap(({ fence, seen }) =>
      seen.filter((one) => one.role === role && one.revision === revision).map((one) => ({ ...one, fence })),
    );
    const recorded = role === "canary" ? unheard(trial, said) : [];
    const { agreed, challengerFailed, compared, incumbentFailed, logWealth, pairs } = [
      ...recorded,
      ...said,
    ].reduce<typeof nothingSeen>(sumSeen, nothingSeen);
    const evidence = Math.min(Number.MAX_VALUE, Math.exp(logWealth));
    return {
      ...{
        role,
        model,
        version,
        share,
        pairs,
        incumbentFailed,
        challengerFailed,
        compared,
        agreed,
        evidence,
      },
      needed: neededOf(role, trial.alpha),
    };
  });
}

/** A shadow is only told of. */
function neededOf(role: Role, alpha: number): number | null {
  return role === "canary" ? 1 / alpha : null;
}

function unheard({ past, seen }: NonNullable<Deployment["trial"]>, said: readonly { fence: number }[]) {
  return [past, ...seen.filter(({ fence }) => said.every((one) => one.fence !== fence))];
}

/** Why what was on trial is so no more, where nobody took it out; null otherwise. */
export function trialEndText({ trialEnd }: Deployment): string | null {
  if (trialEnd === undefined) return null;
  const { model, role, version, why } = trialEnd;
  return `${role} ${model}@${version} was taken out: ${why}`;
}
