/**
 * Keeps each deployment as it is wanted: follows its reference, and has as many replicas as it is to have. Runs with every batch. Starting
 * another before one goes is `hand-over.ts`; where they run is `placement/`.
 *
 * DEPLOY-1: a deployment has as many replicas as are wanted, and at most one more, which is to take the place of one that goes.
 * DEPLOY-2: of those it has too many, one that does not answer leaves first, then the newest.
 * DEPLOY-3: when its reference comes to mean another version, the next revision is what all its replicas are told.
 */
import type { Event } from "../format/event.ts";
import { replicaSlots, type ReplicaSlot } from "../placement/replica-slot.ts";
import { servedVersion } from "../registry/served-version.ts";
import type { Steps } from "../state/input.ts";
import { mustGet, type Deployment, type State } from "../state/state.ts";
import { versionsOnTrial } from "./decide-deployment-trial.ts";
import { replicaProposed } from "./replica-proposed.ts";
import { trialStopped } from "./outcome-fact.ts";

/** Returns how many replicas it began or asked to leave. */
export function* keepReplicas(
  state: State,
  most: number,
  isFull: () => boolean,
): Generator<Event, number, void> {
  let done = 0;
  for (const deployment of state.deployments.values()) {
    if (deployment.stopped !== undefined) continue;
    if (done >= most || isFull()) break;
    yield* followReference(state, deployment);
    done += yield* keepCount(state, deployment);
  }
  return done;
}

/** It goes on with what it had while its reference means nothing that could be served. */
export function* followReference(state: State, deployment: Deployment, isNewTrial = false): Steps {
  const found = servedVersion(state, deployment.reference);
  if (!found.ok) return;
  const versions = yield* versionsOnTrial(state, deployment, found.value);
  if (!isNewTrial && keyOf(versions) === keyOf(deployment.versions)) return;
  const revision = deployment.revision + 1;
  yield { kind: "DeploymentServes", deployment: deployment.deployment, revision, versions };
}

function keyOf(versions: Deployment["versions"]): string {
  return JSON.stringify(versions.map(({ model, role, share, version }) => [role, model, version, share]));
}

function* keepCount(state: State, deployment: Deployment): Generator<Event, number, void> {
  const sweep = mustGet(state.sweeps, deployment.sweep, "sweep");
  const slots = replicaSlots(state, sweep);
  const replaces = slots.some(({ goes }) => goes !== null) ? 1 : 0;
  const tooFew = Math.max(0, deployment.replicas - slots.length);
  for (let count = 0; count < tooFew; count++) yield replicaProposed(sweep);
  const tooMany = Math.max(0, slots.length - deployment.replicas - replaces);
  const order = slots.toSorted(leavesFirst);
  for (const slot of order.slice(0, tooMany))
    yield* askToLeave(state, deployment, slot, "it is one too many");
  return tooFew + tooMany;
}

/** DEPLOY-2. */
function leavesFirst(a: ReplicaSlot, b: ReplicaSlot): number {
  return Number(a.isReady) - Number(b.isReady) || b.trial.number - a.trial.number;
}

/** It answers what it was asked, and ends. */
export function* askToLeave(
  state: State,
  { deployment }: Deployment,
  { attempt, trial }: ReplicaSlot,
  why: string,
): Steps {
  const asked = { by: `deployment ${deployment}`, why };
  yield { kind: "TrialStopAsked", trial: trial.trial, ...asked };
  if (attempt === null) {
    yield trialStopped(state, trial, asked);
    return;
  }
  const { fence } = attempt;
  yield { kind: "CancelRequested", fence, reason: why, how: "soon", preemptedFor: null };
}
