/**
 * SERVED-1. What an agent holds of a deployment's replica beside the attempt: which revision it was told, whether its files are being fetched, and what it says of itself. An order
 * comes again until the coordinator sees it obeyed, so what failed is tried again by that, not oftener than now and then.
 */
import type { ReplicaState, Serving } from "../../protocol/deployment.ts";
import type { AgentEffect } from "./agent-effect.ts";
import type { Brought, Held, HeldReplica } from "./agent-state.ts";

/** Between two tries at one revision, ms. */
const tryAgainMs = 5_000;

export function newHeldReplica(serving: Serving, now: number): HeldReplica {
  const state = { revision: null, requests: 0, failed: 0 };
  return {
    ...{ wanted: serving, triedRevision: serving.revision, triedAt: now },
    ...{ isFetching: false, state, told: 0, lack: null },
  };
}

export function hearServe(held: Held | undefined, serving: Serving, now: number): AgentEffect[] {
  const replica = held?.replica;
  if (held === undefined || replica === undefined || replica === null) return [];
  if (serving.revision > replica.wanted.revision) replica.wanted = serving;
  return bringDue(held, replica, now);
}

/** Before it answers at all there is nothing to change over from: it is looked at again with its first word. */
function bringDue(held: Held, replica: HeldReplica, now: number): AgentEffect[] {
  const { isFetching, state, triedAt, triedRevision, wanted } = replica;
  if (held.phase !== "running" || isFetching || state.revision === null) return [];
  if (state.revision >= wanted.revision) return [];
  return wanted.revision === triedRevision && now - triedAt < tryAgainMs ? [] : bring(held, replica, now);
}

function bring(held: Held, replica: HeldReplica, now: number): AgentEffect[] {
  replica.isFetching = true;
  replica.triedAt = now;
  replica.triedRevision = replica.wanted.revision;
  return [{ kind: "bring", lease: held.lease, serving: replica.wanted }];
}

export function hearBrought(
  held: Held | undefined,
  serving: Serving,
  brought: Brought,
  now: number,
): AgentEffect[] {
  const replica = held?.replica;
  if (held === undefined || replica === undefined || replica === null) return [];
  replica.isFetching = false;
  if (serving.revision < replica.wanted.revision) return bring(held, replica, now);
  replica.lack = brought.ok
    ? null
    : `revision ${serving.revision} cannot answer: its files are not to be had: ${brought.reason}`;
  if (!brought.ok) return [{ kind: "beat" }];
  return [{ kind: "serve", fence: held.lease.fence, serving, parts: brought.parts }];
}

/** What the coordinator should know at once is said at once. */
export function hearReplica(held: Held, state: ReplicaState, now: number): AgentEffect[] {
  const { replica } = held;
  if (replica === null) return [];
  const before = replica.state;
  replica.state = state;
  const isNews =
    before.revision !== state.revision || before.trouble !== state.trouble || isEvidence(replica, state);
  if (isNews) replica.told = evidenceOf(state);
  // It was told of another while it started.
  const due = before.revision === null ? bringDue(held, replica, now) : [];
  return isNews ? [{ kind: "beat" }, ...due] : due;
}

/** Natural logarithms: as much more evidence as is told at once. */
const evidenceStep = 0.25;

/** DEPLOY-17: a worse canary answers callers for as long as the coordinator has not heard of it. */
function isEvidence({ told }: HeldReplica, state: ReplicaState): boolean {
  return evidenceOf(state) >= told + evidenceStep;
}

function evidenceOf({ seen = [] }: ReplicaState): number {
  return seen.find(({ role }) => role === "canary")?.logWealth ?? 0;
}

/** For a heartbeat. */
export function replicaStateOf({ lack, state }: HeldReplica): ReplicaState {
  return lack === null ? state : { ...state, trouble: lack };
}
