/**
 * Decides on deployments that somebody wants, wants otherwise or no longer wants. What keeps one running is `keep-replicas.ts`.
 *
 * DEPLOY-5: a deployment is its requester's and the owner's to change, and its replicas' sweep is nobody's: it does what the deployment says.
 */
import type { CommandBody } from "../../protocol/command.ts";
import { replicaModel, replicaTask, type ServedVersion } from "../../protocol/deployment.ts";
import { sweepId } from "../../protocol/id.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Requirement } from "../../protocol/requirement.ts";
import { sweepSpecSchema, trialsMax, type SweepSpec } from "../../protocol/sweep.ts";
import { nearestMiss } from "../placement/nearest-miss.ts";
import { servedVersion } from "../registry/served-version.ts";
import type { Decision, Sender, Steps } from "../state/input.ts";
import { mustGet, type Deployment, type State } from "../state/state.ts";
import { fingerprintText, warmStartText } from "../state/trial-key.ts";
import { changeTrial, trialChange } from "./decide-deployment-trial.ts";
import { followReference } from "./keep-replicas.ts";

type Body = CommandBody<"deploy-set">;

export function* setDeployment(state: State, sender: Sender, body: Body): Decision {
  const known = state.deployments.get(body.deployment);
  const open = known === undefined || known.stopped !== undefined ? null : known;
  const foreign = open === null ? null : foreignRefusal(open, sender);
  if (foreign !== null) return foreign;
  const reference = { model: body.model, ...(body.version === null ? null : { version: body.version }) };
  const served = servedVersion(state, reference);
  if (!served.ok) return served;
  const requester = open?.requester ?? sender.who;
  const { needs } = body;
  const miss =
    open !== null && needs === undefined
      ? null
      : nearestMiss(state, requester, `${replicaTask}/${replicaModel}`, needs ?? {});
  if (miss !== null) return refuse("no-agent-fits", miss, ["needs"]);
  const trial = trialChange(state, open, body, served.value);
  if (!trial.ok) return trial;
  if (open === null) yield* openDeployment(state, requester, reference, body);
  else yield* changeDeployment(open, sender, reference, body);
  const deployment = mustGet(state.deployments, body.deployment, "deployment");
  yield* changeTrial(body.deployment, sender.who, trial.value);
  yield* followReference(state, deployment, trial.value.begins !== null);
  return accept(answerOf(deployment, served.value, open === null));
}

export function* stopDeployment(
  state: State,
  sender: Sender,
  { deployment: name, why }: CommandBody<"deploy-stop">,
): Decision {
  const found = deploymentNamed(state, name);
  if (!found.ok) return found;
  const { stopped, sweep } = found.value;
  const foreign = foreignRefusal(found.value, sender);
  if (foreign !== null) return foreign;
  if (stopped !== undefined)
    return refuse("conflict", `${name} was stopped already, by ${stopped.by}`, ["deployment"]);
  const { running } = mustGet(state.sweeps, sweep, "sweep").counts;
  yield { kind: "DeploymentStopped", deployment: name, by: sender.who, why };
  yield { kind: "SweepStopping", sweep, by: sender.who, why };
  return accept({ deployment: name, running });
}

/** In whatever state it is. */
export function deploymentNamed(state: State, name: string): Outcome<Deployment> {
  const found = state.deployments.get(name);
  if (found !== undefined) return accept(found);
  const known = suggestion(name, state.deployments.keys());
  return refuse("unknown", `there is no deployment ${name}; ${known}`, ["deployment"]);
}

function foreignRefusal({ deployment, requester }: Deployment, { role, who }: Sender) {
  if (role === "owner" || requester === who) return null;
  return refuse("forbidden", `deployment ${deployment} belongs to ${requester}`, ["deployment"]);
}

function* openDeployment(
  state: State,
  requester: string,
  reference: Deployment["reference"],
  { deployment, needs = {}, replicas = 1 }: Body,
): Steps {
  const sweep = sweepId(state.meta.nextSweep);
  const spec = specOf(deployment, needs);
  const sameness = { fingerprint: fingerprintText(spec), warmStart: warmStartText(spec) };
  yield { kind: "SweepSubmitted", sweep, requester, spec, deployment, total: trialsMax, ...sameness };
  if (!state.accounts.has(requester)) yield { kind: "AccountOpened", requester, weight: 1 };
  yield { kind: "DeploymentOpened", deployment, sweep, requester, reference, replicas };
}

function* changeDeployment(
  open: Deployment,
  { who: by }: Sender,
  reference: Deployment["reference"],
  { needs, replicas }: Body,
): Steps {
  const isSame = open.reference.model === reference.model && open.reference.version === reference.version;
  const change = {
    ...(isSame ? null : { reference }),
    ...(replicas === undefined || replicas === open.replicas ? null : { replicas }),
    ...(needs === undefined ? null : { needs }),
  };
  if (Object.keys(change).length > 0)
    yield { kind: "DeploymentChanged", deployment: open.deployment, by, ...change };
}

/** Work that searches nothing, reports no metric and has no end. */
function specOf(name: string, needs: Requirement): SweepSpec {
  return sweepSpecSchema.parse({
    ...{ name, task: replicaTask, dataset: null, needs, cap: null, beyondBudget: true, reuse: false },
    objective: { metric: "requests", goal: "maximize" },
    search: { method: "outside", trials: trialsMax, seed: 0 },
    stopping: { policy: "none", max: 1 },
    models: [{ model: replicaModel, space: {} }],
    ...{ trialSeed: 0, codeVersion: replicaTask, register: null },
  });
}

function answerOf(
  { deployment, replicas, revision, sweep }: Deployment,
  { version }: ServedVersion,
  opened: boolean,
) {
  return { deployment, sweep, opened, revision, version, replicas };
}
