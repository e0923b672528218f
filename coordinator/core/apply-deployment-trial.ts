/** The part of `apply` about versions on trial in a deployment. When one is taken out stands in the events. */
import type { EventOf } from "../format/event.ts";
import type { Deployment, State } from "../state/state.ts";

type Seen = NonNullable<Deployment["trial"]>["past"];

export function beginTrial(
  deployment: Deployment,
  { by, trial }: EventOf<"DeploymentTrialBegun">,
  at: number,
): void {
  deployment.trial = { ...trial, by, at, seen: [], past: nothingSeen };
  delete deployment.trialEnd;
}

/** Evidence is of one revision: beside another incumbent it begins anew. */
export function forgetSeen(deployment: Deployment): void {
  if (deployment.trial !== undefined) deployment.trial = { ...deployment.trial, seen: [], past: nothingSeen };
}

/** DEPLOY-17: what a replica that has ended saw counts on, once. */
export function keepSeen(
  state: State,
  deployment: Deployment,
  { fence, seen: said }: EventOf<"DeploymentTrialSeen">,
): void {
  const { trial } = deployment;
  if (trial === undefined) return;
  const others = trial.seen.filter((one) => one.fence !== fence);
  const ended = others.filter((one) => !state.active.has(one.fence));
  const seen = [...others.filter((one) => state.active.has(one.fence)), { fence, ...said }];
  deployment.trial = { ...trial, seen, past: [trial.past, ...ended].reduce(sumSeen, nothingSeen) };
}

export function endTrial(
  deployment: Deployment,
  { by, role, why }: EventOf<"DeploymentTrialEnded">,
  at: number,
): void {
  const { trial } = deployment;
  const tried = trial?.[role];
  if (trial === undefined || tried === undefined) return;
  const { canary, shadow, ...rest } = trial;
  const left = role === "canary" ? (shadow === undefined ? null : { shadow }) : canary && { canary };
  if (left === null || left === undefined) delete deployment.trial;
  else deployment.trial = { ...rest, ...left };
  const { model, version } = tried;
  // Who takes one out knows it.
  if (by === undefined) deployment.trialEnd = { role, model, version, why, at };
}

export const nothingSeen: Seen = {
  ...{ pairs: 0, incumbentFailed: 0, challengerFailed: 0, compared: 0, agreed: 0, logWealth: 0 },
};

/** Evidence of streams that are independent of each other multiplies. */
export function sumSeen(one: Seen, other: Seen): Seen {
  return {
    pairs: one.pairs + other.pairs,
    incumbentFailed: one.incumbentFailed + other.incumbentFailed,
    challengerFailed: one.challengerFailed + other.challengerFailed,
    compared: one.compared + other.compared,
    agreed: one.agreed + other.agreed,
    logWealth: one.logWealth + other.logWealth,
  };
}
