/** The part of `apply` about deployments. What their reference means, and which replica is to go, stands in the events. */
import type { EventOf } from "../format/event.ts";
import { attemptByFence, mustGet, type Deployment, type State } from "../state/state.ts";
import { beginTrial, endTrial, forgetSeen, keepSeen } from "./apply-deployment-trial.ts";
import { sweepOf } from "./entity.ts";

export type DeploymentEvent = EventOf<
  | "DeploymentOpened"
  | "DeploymentChanged"
  | "DeploymentServes"
  | "DeploymentStopped"
  | "ReplicaSaid"
  | "DeploymentTrialBegun"
  | "DeploymentTrialSeen"
  | "DeploymentTrialEnded"
>;

export function applyDeployment(state: State, event: DeploymentEvent, at: number): void {
  switch (event.kind) {
    case "DeploymentOpened":
      return open(state, event, at);
    case "DeploymentChanged":
      return change(state, event);
    case "DeploymentServes": {
      const deployment = deploymentOf(state, event.deployment);
      deployment.revision = event.revision;
      deployment.versions = event.versions;
      forgetSeen(deployment);
      return;
    }
    case "DeploymentStopped": {
      const { by, why } = event;
      deploymentOf(state, event.deployment).stopped = { by, why, at };
      return;
    }
    case "ReplicaSaid":
      return said(state, event);
    case "DeploymentTrialBegun":
      return beginTrial(deploymentOf(state, event.deployment), event, at);
    case "DeploymentTrialSeen":
      return keepSeen(state, deploymentOf(state, event.deployment), event);
    case "DeploymentTrialEnded":
      return endTrial(deploymentOf(state, event.deployment), event, at);
  }
}

/** DEPLOY-6: a revision's number is given once, so a replica of the one before never passes for one of this. */
function open(state: State, event: EventOf<"DeploymentOpened">, at: number): void {
  const { deployment, reference, replicas, requester, sweep } = event;
  const revision = state.deployments.get(deployment)?.revision ?? 0;
  const opened = { deployment, requester, sweep, reference, replicas, revision, versions: [], openedAt: at };
  state.deployments.set(deployment, opened);
  state.dirty.add(`deployment/${deployment}`);
}

function change(
  state: State,
  { deployment: name, needs, reference, replicas }: EventOf<"DeploymentChanged">,
) {
  const deployment = deploymentOf(state, name);
  if (reference !== undefined) {
    deployment.reference = reference;
    delete deployment.trialEnd;
  }
  if (replicas !== undefined) deployment.replicas = replicas;
  if (needs === undefined) return;
  const sweep = sweepOf(state, deployment.sweep);
  sweep.spec = { ...sweep.spec, needs };
}

function said(state: State, { fence, revision, trouble }: EventOf<"ReplicaSaid">): void {
  const found = attemptByFence(state, fence);
  if (found === null) throw new Error(`broken invariant: fence ${fence} is not active`);
  found.attempt.replica = {
    ...(revision === undefined ? null : { revision }),
    ...(trouble === undefined ? null : { trouble }),
  };
  state.dirty.add(`trial/${found.trial.trial}`);
}

function deploymentOf(state: State, name: string): Deployment {
  state.dirty.add(`deployment/${name}`);
  return mustGet(state.deployments, name, "deployment");
}
