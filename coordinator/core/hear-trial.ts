/**
 * What replicas say of a deployment's canary, added up, and its end when that is enough. How a replica comes by its evidence is `serving/rollout`'s.
 *
 * DEPLOY-17: replicas answer different requests, so the product of their e-values is one: a canary is taken out when it reaches 1/α, and one that is no worse is with a
 * probability of at most α, whenever one looks. What a replica saw before it ended counts on; what makes no sense counts as nothing.
 */
import type { ReplicaState, TrialSeen } from "../../protocol/deployment.ts";
import type { Steps } from "../state/input.ts";
import type { Deployment, State } from "../state/state.ts";
import { sumSeen } from "./apply-deployment-trial.ts";
import { followReference } from "./keep-replicas.ts";

type Seen = NonNullable<Deployment["trial"]>["past"];

/** Of the evidence that is needed, as much may all others together be away from what was last recorded of them. */
const unrecordedShare = 0.1;
/** More requests than these times as many are news, whatever they showed. */
const newsRatio = 2;
/** What one observation can add to a logarithm of evidence at most is less. */
const gainMax = 1;

export function* hearTrial(
  state: State,
  deployment: Deployment,
  fence: number,
  { seen: said = [] }: ReplicaState,
): Steps {
  const { revision, stopped, trial } = deployment;
  const heard = said.find(({ role }) => role === "canary");
  if (trial?.canary === undefined || stopped !== undefined || heard?.revision !== revision) return;
  const known = trial.seen.find((one) => one.fence === fence);
  if (!isCredible(heard, known)) return;
  const { agreed, challengerFailed, compared, incumbentFailed, logWealth, pairs } = heard;
  const seen = { pairs, incumbentFailed, challengerFailed, compared, agreed, logWealth };
  const others = trial.seen.filter((one) => one.fence !== fence);
  const all = [trial.past, ...others].reduce(sumSeen, seen);
  const needed = -Math.log(trial.alpha);
  const step = (unrecordedShare * needed) / Math.max(1, deployment.replicas);
  // Others that run may have less by now than was recorded last.
  const moving = others.filter((one) => state.active.has(one.fence)).length;
  if (all.logWealth >= needed + step * moving) {
    yield { kind: "DeploymentTrialSeen", deployment: deployment.deployment, fence, seen };
    yield {
      ...({ kind: "DeploymentTrialEnded", deployment: deployment.deployment, role: "canary" } as const),
      why: whyWorse(all, trial.alpha),
    };
    yield* followReference(state, deployment);
    return;
  }
  const isNews =
    Math.abs(logWealth - (known?.logWealth ?? 0)) >= step ||
    pairs >= newsRatio * Math.max(1, known?.pairs ?? 0);
  if (isNews) yield { kind: "DeploymentTrialSeen", deployment: deployment.deployment, fence, seen };
}

/** Counts only rise; nothing is failed or compared that was not asked; and so many observations show so much at most. */
function isCredible(
  { agreed, challengerFailed, compared, incumbentFailed, logWealth, pairs, times, truths }: TrialSeen,
  known: Seen | undefined,
): boolean {
  if (challengerFailed + incumbentFailed + compared > pairs || agreed > compared + 1e-6) return false;
  if (!Number.isFinite(logWealth) || logWealth > gainMax * (pairs + times + truths)) return false;
  if (known === undefined) return true;
  return (
    pairs >= known.pairs &&
    compared >= known.compared &&
    challengerFailed >= known.challengerFailed &&
    incumbentFailed >= known.incumbentFailed
  );
}

function whyWorse(
  { agreed, challengerFailed, compared, incumbentFailed, logWealth, pairs }: Seen,
  alpha: number,
) {
  const errors = `of ${pairs} requests that both were asked it failed at ${challengerFailed} that the incumbent answered, and the incumbent at ${incumbentFailed} that it answered`;
  const agreement =
    compared === 0 ? "" : `; of ${compared} answers ${`${((100 * agreed) / compared).toFixed(1)}%`} agreed`;
  const evidence = Math.exp(Math.min(logWealth, shownMax));
  return `it is worse: ${errors}${agreement} (evidence ${evidence.toPrecision(3)}, ${Math.round(1 / alpha)} is enough)`;
}

/** Of a logarithm, in a sentence. */
const shownMax = 100;
