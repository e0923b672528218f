/**
 * `step(state, input, now)`: the agent's decisions as data. `now` is the agent's monotonic clock in ms.
 * Sockets, processes and files are the shell's; it carries out the effects in order.
 *
 * AGENT-1: nothing runs past its prepaid horizon, whether or not anybody can be reached.
 * AGENT-2: an order of an epoch lower than the highest seen does nothing.
 * AGENT-3: a fence starts at most once in one incarnation.
 * AGENT-4: an outcome is reported only after the artifact it names is in the mesh's store.
 */
import type { Fence } from "../../protocol/id.ts";
import type { Lease } from "../../protocol/order.ts";
import type { Metrics, Report } from "../../protocol/report.ts";
import type { Job, RunnerEvent, StopHow } from "../runner/runner.ts";
import type { AgentState, Held, StopReason } from "./state.ts";

export type AgentInput =
  | { readonly kind: "beacon"; readonly epoch: number }
  | { readonly kind: "welcomed"; readonly epoch: number; readonly at: number; readonly askedAt: number }
  | { readonly kind: "offer"; readonly epoch: number; readonly leases: readonly Lease[] }
  | {
      readonly kind: "extend";
      readonly epoch: number;
      readonly leases: readonly { readonly fence: Fence; readonly at: number; readonly horizonMs: number }[];
    }
  | { readonly kind: "cancel"; readonly epoch: number; readonly fences: readonly Fence[] }
  | { readonly kind: "drain"; readonly epoch: number; readonly drain: boolean }
  | { readonly kind: "policy"; readonly closed: string | null }
  | {
      readonly kind: "fetched";
      readonly fence: Fence;
      readonly datasetPath: string | null;
      readonly checkpointPath: string | null;
    }
  | { readonly kind: "fetch-failed"; readonly fence: Fence; readonly reason: string }
  | { readonly kind: "runner"; readonly event: RunnerEvent }
  | { readonly kind: "shared"; readonly report: Report }
  | { readonly kind: "tick" }
  | { readonly kind: "leave" };

export type AgentEffect =
  | { readonly kind: "greet" }
  | { readonly kind: "fetch"; readonly lease: Lease }
  | { readonly kind: "start"; readonly lease: Lease; readonly job: Omit<Job, "checkpointDir" | "memoryMiB"> }
  | { readonly kind: "stop"; readonly fence: Fence; readonly how: StopHow }
  /** Put the file into the mesh's store, then come back with `shared`. */
  | { readonly kind: "share"; readonly path: string; readonly digest: string; readonly report: Report }
  | { readonly kind: "report"; readonly report: Report }
  | { readonly kind: "metric"; readonly lease: Lease; readonly resource: number; readonly metrics: Metrics }
  | { readonly kind: "log"; readonly lease: Lease; readonly stream: "out" | "err"; readonly line: string };

/** A start that would end at once is not worth its overhead, ms. */
const horizonMinMs = 100;
/** Before the horizon's end the runner is asked to finish its epoch; at the end it is killed. */
const windDownShare = 0.1;
const windDownMaxMs = 1_500;
/** A cancelled runner has this long to end its epoch, ms. */
const cancelPatienceMs = 5_000;
/** Between the checkpoints of one attempt that are handed to the mesh, at least, ms. */
const shareEveryMs = 2_000;
const endedKept = 10_000;

export function step(state: AgentState, input: AgentInput, now: number): AgentEffect[] {
  switch (input.kind) {
    case "beacon":
      return seeEpoch(state, input.epoch);
    case "welcomed":
      if (input.epoch < state.epoch) return [];
      state.epoch = input.epoch;
      state.greetedIn = input.epoch;
      // The leader read its clock after we asked: taking the moment of asking errs towards stopping early.
      state.clockOffset = input.askedAt - input.at;
      return [];
    case "offer":
      return inEpoch(state, input.epoch)
        ? input.leases.flatMap((lease) => takeOffer(state, lease, now))
        : greetAgain(state, input.epoch);
    case "extend":
      if (!inEpoch(state, input.epoch)) return greetAgain(state, input.epoch);
      for (const { at, fence, horizonMs } of input.leases) {
        const held = state.held.get(fence);
        if (held !== undefined) held.deadline = Math.max(held.deadline, at + state.clockOffset + horizonMs);
      }
      return [];
    case "cancel":
      if (!inEpoch(state, input.epoch)) return greetAgain(state, input.epoch);
      return input.fences.flatMap((fence) => cancel(state, fence, now));
    case "drain":
      if (inEpoch(state, input.epoch)) state.draining = input.drain;
      return [];
    case "policy": {
      const closing = input.closed !== null && state.closed === null;
      state.closed = input.closed;
      if (!closing) return [];
      return [...state.held.values()].flatMap((held) => stop(held, "owner", now + cancelPatienceMs));
    }
    case "fetched":
      return start(state, input);
    case "fetch-failed": {
      const held = state.held.get(input.fence);
      if (held === undefined) return [];
      release(state, input.fence);
      return [
        {
          kind: "report",
          report: { kind: "failed", fence: input.fence, reason: input.reason, retryable: true, usedMs: 0 },
        },
      ];
    }
    case "runner":
      return hearRunner(state, input.event, now);
    case "shared": {
      if (input.report.kind !== "checkpoint") release(state, input.report.fence);
      return [{ kind: "report", report: input.report }];
    }
    case "tick":
      return [...state.held.values()].flatMap((held) => watch(state, held, now));
    case "leave":
      state.leaving = true;
      return [...state.held.values()].flatMap((held) => stop(held, "shutdown", now + cancelPatienceMs));
  }
}

function seeEpoch(state: AgentState, epoch: number): AgentEffect[] {
  if (epoch > state.epoch) state.epoch = epoch;
  return epoch >= state.epoch && state.greetedIn !== epoch ? [{ kind: "greet" }] : [];
}

/** AGENT-2. */
function inEpoch(state: AgentState, epoch: number): boolean {
  return epoch === state.epoch && epoch === state.greetedIn;
}

function greetAgain(state: AgentState, epoch: number): AgentEffect[] {
  return epoch < state.epoch ? [] : seeEpoch(state, epoch);
}

function takeOffer(state: AgentState, lease: Lease, now: number): AgentEffect[] {
  const { fence } = lease;
  // AGENT-3.
  if (state.held.has(fence) || state.ended.has(fence) || lease.incarnation !== state.incarnation) return [];
  const deadline = lease.at + state.clockOffset + lease.horizonMs;
  const refusal = refusalOf(state, lease, deadline - now);
  if (refusal !== null) {
    remember(state, fence);
    return [{ kind: "report", report: { kind: "refused", fence, reason: refusal } }];
  }
  state.held.set(fence, {
    lease,
    phase: "fetching",
    deadline,
    stopping: null,
    killed: false,
    resource: lease.from?.resource ?? 0,
    usedMs: 0,
    sharedAt: now,
  });
  return [
    { kind: "report", report: { kind: "accepted", fence } },
    { kind: "fetch", lease },
  ];
}

/** The owner's word, asked again here: the agent's own policy counts, not the coordinator's copy of it. */
function refusalOf(state: AgentState, lease: Lease, leftMs: number): string | null {
  const { policy } = state;
  const task = lease.task;
  if (state.leaving) return "the agent is shutting down";
  if (state.draining) return "the agent is draining";
  if (state.closed !== null) return state.closed;
  if (state.held.size >= policy.slots) return `all ${policy.slots} slots are busy`;
  if (policy.requesters !== null && !policy.requesters.includes(lease.requester)) {
    return `the owner takes no work of ${lease.requester}`;
  }
  if (policy.tasks !== null && !policy.tasks.includes(task)) return `the owner takes no ${task}`;
  if (leftMs < horizonMinMs) return "the offer came too late";
  return null;
}

function start(state: AgentState, input: Extract<AgentInput, { kind: "fetched" }>): AgentEffect[] {
  const held = state.held.get(input.fence);
  if (held === undefined) return [];
  const { lease } = held;
  if (held.stopping !== null) return endUnstarted(state, held, held.stopping.why);
  held.phase = "running";
  const job = {
    fence: lease.fence,
    trial: lease.trial,
    task: lease.task,
    model: lease.model,
    params: lease.params,
    seed: lease.seed,
    backend: lease.backend,
    datasetPath: input.datasetPath,
    fromCheckpointPath: input.checkpointPath,
    fromResource: lease.from?.resource ?? 0,
    targetResource: lease.target,
  };
  return [{ kind: "start", lease, job }];
}

function hearRunner(state: AgentState, event: RunnerEvent, now: number): AgentEffect[] {
  const held = state.held.get(event.fence);
  if (held === undefined) return [];
  const { lease } = held;
  switch (event.kind) {
    case "started":
      return [];
    case "log":
      return [{ kind: "log", lease, stream: event.stream, line: event.line }];
    case "epoch":
      held.resource = event.resource;
      held.usedMs = event.usedMs;
      return [{ kind: "metric", lease, resource: event.resource, metrics: finiteOf(event.metrics) }];
    case "checkpoint": {
      // The last one comes again as `finished`; in between, not more often than the mesh can use.
      if (event.resource >= lease.target || now - held.sharedAt < shareEveryMs) return [];
      held.sharedAt = now;
      return [share(event.path, { kind: "checkpoint", ...keptOf(event) })];
    }
    case "finished":
      held.phase = "reporting";
      return [share(event.path, { kind: "finished", ...keptOf(event) })];
    case "stopped": {
      held.phase = "reporting";
      const why = held.stopping?.why ?? "shutdown";
      const report = {
        kind: "stopped",
        ...keptOf({ ...event, digest: "" }),
        digest: event.digest,
        why,
      } as const;
      if (event.path !== null && event.digest !== null) return [share(event.path, report)];
      release(state, event.fence);
      return [{ kind: "report", report }];
    }
    case "failed": {
      const { fence, reason, retryable, usedMs } = event;
      release(state, fence);
      return [{ kind: "report", report: { kind: "failed", fence, reason, retryable, usedMs } }];
    }
  }
}

function cancel(state: AgentState, fence: Fence, now: number): AgentEffect[] {
  const held = state.held.get(fence);
  if (held !== undefined) return stop(held, "cancelled", now + cancelPatienceMs);
  if (state.ended.has(fence)) return [];
  // Never taken up: nothing ran, and nothing will.
  remember(state, fence);
  return [{ kind: "report", report: { ...nothingDone(fence, 0), why: "cancelled" } }];
}

/** AGENT-1: a wind-down first, so that the epoch under way can end; at the deadline the end, whatever runs. */
function watch(state: AgentState, held: Held, now: number): AgentEffect[] {
  if (held.phase === "reporting") return [];
  const windDown = Math.min(windDownMaxMs, held.lease.horizonMs * windDownShare);
  if (held.stopping === null && now >= held.deadline - windDown) return stop(held, "horizon", held.deadline);
  if (held.stopping === null || held.killed) return [];
  const killAt = Math.min(held.stopping.killAt, held.deadline);
  if (now < killAt) return [];
  held.killed = true;
  if (held.phase === "fetching") return endUnstarted(state, held, held.stopping.why);
  return [{ kind: "stop", fence: held.lease.fence, how: "kill" }];
}

function stop(held: Held, why: StopReason, killAt: number): AgentEffect[] {
  if (held.stopping !== null || held.phase === "reporting") return [];
  held.stopping = { why, killAt };
  // What is still fetching ends when the fetch does, or when its time is up.
  return held.phase === "running" ? [{ kind: "stop", fence: held.lease.fence, how: "checkpoint" }] : [];
}

function endUnstarted(state: AgentState, held: Held, why: StopReason): AgentEffect[] {
  const { fence, from } = held.lease;
  release(state, fence);
  return [{ kind: "report", report: { ...nothingDone(fence, from?.resource ?? 0), why } }];
}

function nothingDone(fence: Fence, resource: number) {
  return { kind: "stopped", fence, resource, digest: null, bytes: 0, metrics: {}, usedMs: 0 } as const;
}

function share(path: string, report: Report): AgentEffect {
  const digest = "digest" in report && report.digest !== null ? report.digest : "";
  return { kind: "share", path, digest, report };
}

function keptOf(event: {
  readonly fence: Fence;
  readonly resource: number;
  readonly digest: string;
  readonly bytes: number;
  readonly metrics: Metrics;
  readonly usedMs: number;
}) {
  const { fence, resource, digest, bytes, metrics, usedMs } = event;
  return { fence, resource, digest, bytes, metrics: finiteOf(metrics), usedMs };
}

/** JSON has no NaN: what is not finite is left out, and its absence is noticed by whoever needs it. */
function finiteOf(metrics: Metrics): Metrics {
  return Object.fromEntries(Object.entries(metrics).filter(([, value]) => Number.isFinite(value)));
}

function release(state: AgentState, fence: Fence): void {
  state.held.delete(fence);
  remember(state, fence);
}

function remember(state: AgentState, fence: Fence): void {
  state.ended.add(fence);
  if (state.ended.size > endedKept) {
    for (const oldest of state.ended) {
      state.ended.delete(oldest);
      break;
    }
  }
}
