/**
 * Before a machine takes a replica away another is started elsewhere. Runs with the clock, not with each event.
 *
 * DEPLOY-4: where a machine drains, its owner is back, or it is not heard, another replica is started where one fits, and the old one is asked
 * to leave only when that one answers. Where none fits, or none has answered for long, a draining machine is let go all the same.
 */
import { requestOfAny } from "../placement/feasible.ts";
import { isAnyLeaving, replicaSlots } from "../placement/replica-slot.ts";
import { replicaModel } from "../../protocol/deployment.ts";
import type { Steps } from "../state/input.ts";
import { mustGet, type Deployment, type State, type Sweep } from "../state/state.ts";
import { askToLeave } from "./keep-replicas.ts";
import { replicaProposed } from "./replica-proposed.ts";

/** A machine that drains waits so long for a replica elsewhere to answer, ms. */
const drainPatienceMs = 120_000;

export function* handOver(state: State, at: number): Steps {
  for (const deployment of state.deployments.values())
    if (deployment.stopped === undefined) yield* handOverOne(state, deployment, at);
}

function* handOverOne(state: State, deployment: Deployment, at: number): Steps {
  const { replicas } = deployment;
  const sweep = mustGet(state.sweeps, deployment.sweep, "sweep");
  const slots = replicaSlots(state, sweep);
  const going = slots.filter(({ goes }) => goes !== null);
  const [first] = going.toSorted((a, b) => Number(b.goes === "drains") - Number(a.goes === "drains"));
  if (first === undefined) return;
  const ready = slots.filter(({ goes, isReady }) => isReady && goes === null).length;
  if (slots.length > replicas && ready > replicas - going.length) {
    yield* askToLeave(state, deployment, first, `another replica answers in its place`);
    return;
  }
  const canStart = fitsSomewhere(state, sweep);
  // Those that were asked to leave before are gone first: DEPLOY-1.
  if (slots.length === replicas && canStart && !isAnyLeaving(state, sweep)) yield replicaProposed(sweep);
  if (first.goes !== "drains") return;
  const newest = slots.at(-1)?.trial;
  const since = newest?.attempts[0]?.at ?? newest?.queuedAt ?? at;
  if (!canStart || (slots.length > replicas && at - since > drainPatienceMs))
    yield* askToLeave(state, deployment, first, "the agent is draining");
}

/** Busy or not: machines of its own kind that take work. */
function fitsSomewhere(state: State, sweep: Sweep): boolean {
  const { key, request } = requestOfAny(sweep, replicaModel);
  for (const group of state.fleet.workingGroups())
    if (state.fleet.backendsOn(group, request, key).length > 0) return true;
  return false;
}
