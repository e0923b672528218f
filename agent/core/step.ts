/**
 * `step(state, input, now)`: the agent's decisions as data. `now` is the agent's monotonic clock in ms.
 * Sockets, processes and files are the shell's; it carries out the effects in order.
 *
 * AGENT-1: nothing runs past its prepaid horizon, whether or not anybody can be reached.
 * AGENT-2: an order of an epoch lower than the highest seen does nothing.
 * AGENT-3: a fence starts at most once in one incarnation.
 * AGENT-4: an outcome is reported only after the artifact it names is in the mesh's store or held by another agent too, or with its bytes.
 * AGENT-5: on suspension every process stands still at once, and none starts or goes on before its end.
 * AGENT-6: what the owner drives out is paid for up to its last whole checkpoint, and what is suspended leaves
 * without having run again.
 */
import type { Fence } from "../../protocol/id.ts";
import type { CancelHow, Lease } from "../../protocol/order.ts";
import { allowsProgram, isProgramTask, programsText } from "../../protocol/program.ts";
import type { RunnerEvent } from "../runner/runner.ts";
import type { AgentEffect } from "./agent-effect.ts";
import { endUnstarted, kill, nothingDone, release, remember, stop } from "./end-attempt.ts";
import type { AgentInput } from "./agent-input.ts";
import { checkLeaderTime, learnLeaderTime } from "./leader-time.ts";
import { obeyOwner, startJob } from "./obey-owner.ts";
import { hearEpoch, noEpochs } from "./epoch-pace.ts";
import { hearBrought, hearReplica, hearServe, newHeldReplica } from "./hold-replica.ts";
import { filesOf, finiteOf, keptOf, shareCheckpoint, stoppedReport } from "./report-of.ts";
import { endUsed, hearUsed } from "./used-time.ts";
import type { AgentState, Held } from "./agent-state.ts";

/** A start that would end at once is not worth its overhead, ms. */
const horizonMinMs = 100;
/** Before the horizon's end the runner is asked to finish its epoch; at the end it is killed. */
const windDownShare = 0.1;
const windDownMaxMs = 1_500;
/** A cancelled runner has this long to end its epoch, ms. */
const cancelPatienceMs = 5_000;
/** Between the checkpoints of one attempt that are handed to the mesh, at least, ms. */
const shareEveryMs = 2_000;

export function step(state: AgentState, input: AgentInput, now: number): AgentEffect[] {
  switch (input.kind) {
    case "beacon":
      return inEpoch(state, input.epoch)
        ? checkLeaderTime(state, input.at, now)
        : seeEpoch(state, input.epoch);
    case "welcomed":
      if (input.epoch < state.epoch) return [];
      learnLeaderTime(state, input.epoch, input.at, input.askedAt);
      state.epoch = input.epoch;
      state.registeredIn = input.epoch;
      state.carries = input.carries ?? 0;
      return [];
    case "offer":
      return inEpoch(state, input.epoch)
        ? input.leases.flatMap((lease) => takeOffer(state, lease, now))
        : registerAgain(state, input.epoch);
    case "extend":
      if (!inEpoch(state, input.epoch)) return registerAgain(state, input.epoch);
      for (const { at, fence, horizonMs } of input.leases) {
        const held = state.held.get(fence);
        if (held !== undefined) held.deadline = Math.max(held.deadline, at + state.clockOffset + horizonMs);
      }
      return [];
    case "cancel":
      if (!inEpoch(state, input.epoch)) return registerAgain(state, input.epoch);
      return input.fences.flatMap((fence) => cancel(state, fence, input.how ?? "soon", now));
    case "serve":
      if (!inEpoch(state, input.epoch)) return registerAgain(state, input.epoch);
      return input.replicas.flatMap(({ fence, serving }) => hearServe(state.held.get(fence), serving, now));
    case "brought":
      return hearBrought(state.held.get(input.fence), input.serving, input.brought, now);
    case "drain":
      if (inEpoch(state, input.epoch)) state.draining = input.drain;
      return [];
    case "owner":
      return obeyOwner(state, input.availability, now);
    case "fetched":
      return fetched(state, input);
    case "fetch-failed":
      return state.held.has(input.fence) ? fail(state, input.fence, input.reason) : [];
    case "runner":
      return hearRunner(state, input.event, now);
    case "shared": {
      if (input.report.kind !== "checkpoint") release(state, input.report.fence);
      const { contents, report } = input;
      return [contents === undefined ? { kind: "report", report } : { kind: "report", report, contents }];
    }
    case "share-failed":
      // One on the way is no loss: it still trains, and the next one comes. What was its last is all that it had.
      if (input.report.kind === "checkpoint" || !state.held.has(input.report.fence)) return [];
      return fail(state, input.report.fence, input.reason);
    case "tick":
      return [...state.held.values()].flatMap((held) => [...shareDue(held, now), ...watch(state, held, now)]);
    case "leave":
      state.leaving = true;
      return [...state.held.values()].flatMap((held) =>
        stop(state, held, "shutdown", now + cancelPatienceMs),
      );
  }
}

/** Through no fault of the trial's. */
function fail(state: AgentState, fence: Fence, reason: string): AgentEffect[] {
  release(state, fence);
  return [{ kind: "report", report: { kind: "failed", fence, reason, retryable: true, usedMs: 0 } }];
}

function seeEpoch(state: AgentState, epoch: number): AgentEffect[] {
  if (epoch > state.epoch) state.epoch = epoch;
  return epoch >= state.epoch && state.registeredIn !== epoch ? [{ kind: "register" }] : [];
}

/** AGENT-2. */
function inEpoch(state: AgentState, epoch: number): boolean {
  return epoch === state.epoch && epoch === state.registeredIn;
}

function registerAgain(state: AgentState, epoch: number): AgentEffect[] {
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
    files: { datasetPath: null, checkpointPath: null, parts: {} },
    deadline,
    stopping: null,
    killed: false,
    suspended: false,
    started: false,
    exited: false,
    approximate: false,
    checkpoint: null,
    resource: lease.from?.resource ?? 0,
    epochs: noEpochs,
    usedMs: 0,
    usedSince: null,
    sharedAt: now,
    sharedResource: lease.from?.resource ?? 0,
    sharedDigest: lease.from?.digest ?? null,
    replica: lease.serving === undefined ? null : newHeldReplica(lease.serving, now),
  });
  return [
    { kind: "report", report: { kind: "accepted", fence } },
    { kind: "fetch", lease },
  ];
}

/** The owner's word, asked again here: the agent's own policy counts, not the coordinator's copy of it. */
function refusalOf(state: AgentState, lease: Lease, leftMs: number): string | null {
  const { policy, availability } = state;
  const task = lease.task;
  if (state.leaving) return "the agent is shutting down";
  if (state.draining) return "the agent is draining";
  if (availability.kind !== "open") return availability.reason ?? "the owner takes no work now";
  if (state.held.size >= policy.slots) return `all ${policy.slots} slots are busy`;
  if (policy.requesters !== null && !policy.requesters.includes(lease.requester)) {
    return `the owner takes no work of ${lease.requester}`;
  }
  if (policy.tasks !== null && !policy.tasks.includes(task)) return `the owner takes no ${task}`;
  if ((lease.program !== null || isProgramTask(task)) && !allowsProgram(policy.programs, lease.requester))
    return programsText(policy.programs);
  if (lease.serving !== undefined && !state.isReached)
    return "nobody can connect to this machine to ask a replica";
  if (leftMs < horizonMinMs) return "the offer came too late";
  return null;
}

function fetched(state: AgentState, input: Extract<AgentInput, { kind: "fetched" }>): AgentEffect[] {
  const held = state.held.get(input.fence);
  if (held === undefined || held.phase !== "fetching") return [];
  if (held.stopping !== null) return endUnstarted(state, held, held.stopping.why);
  held.files = input.files;
  if (state.availability.kind !== "suspended") return startJob(held);
  held.phase = "ready";
  return [];
}

function hearRunner(state: AgentState, event: RunnerEvent, now: number): AgentEffect[] {
  const held = state.held.get(event.fence);
  if (held === undefined) return [];
  const { lease } = held;
  switch (event.kind) {
    case "started":
      held.approximate = !event.exact;
      held.started = true;
      held.epochs = { ...noEpochs, startMs: event.usedMs };
      hearUsed(held, event.usedMs, now);
      return [];
    case "exited":
      held.exited = true;
      endUsed(held, event.usedMs, now);
      return [];
    case "log":
      return [{ kind: "log", lease, stream: event.stream, line: event.line }];
    case "serving":
      return hearReplica(held, event.replica, now);
    case "point":
      return [{ kind: "metric", lease, resource: event.step, metrics: finiteOf(event.metrics) }];
    case "epoch":
      // A program may report more often than its target says.
      held.resource = Math.min(event.resource, lease.target);
      held.epochs = hearEpoch(held.epochs, event);
      hearUsed(held, event.usedMs, now);
      return [{ kind: "metric", lease, resource: event.resource, metrics: finiteOf(event.metrics) }];
    case "checkpoint":
      held.checkpoint = event;
      hearUsed(held, event.usedMs, now);
      return shareDue(held, now);
    case "finished": {
      held.phase = "reporting";
      const usedMs = endUsed(held, event.usedMs, now);
      const { built } = event;
      const report = {
        kind: "finished",
        ...keptOf(held, { ...event, usedMs }),
        ...(built === undefined ? {} : { built }),
      } as const;
      return [{ kind: "share", files: filesOf(event), report }];
    }
    case "stopped": {
      held.phase = "reporting";
      const usedMs = endUsed(held, event.usedMs, now);
      const { report, files } = stoppedReport(held, { ...event, usedMs });
      if (files.length > 0) return [{ kind: "share", files, report }];
      release(state, event.fence);
      return [{ kind: "report", report }];
    }
    case "failed": {
      const { fence, lacks, reason, retryable } = event;
      const usedMs = endUsed(held, event.usedMs, now);
      release(state, fence);
      const report = { kind: "failed", fence, reason, retryable, usedMs } as const;
      return [{ kind: "report", report: lacks === undefined ? report : { ...report, lacks } }];
    }
  }
}

/**
 * Hands on what was kept, not more often than the mesh can use: also when nothing follows it for long. The last one comes
 * again as `finished`. What ends a moment before its process stands still is not to wait with it.
 */
function shareDue(held: Held, now: number): AgentEffect[] {
  const { checkpoint, lease, phase, sharedAt, suspended } = held;
  if (phase !== "running" || checkpoint === null || checkpoint.resource >= lease.target) return [];
  return suspended || now - sharedAt >= shareEveryMs ? shareCheckpoint(held, now) : [];
}

function cancel(state: AgentState, fence: Fence, how: CancelHow, now: number): AgentEffect[] {
  const held = state.held.get(fence);
  if (held !== undefined)
    return stop(state, held, "cancelled", how === "checkpoint" ? Infinity : now + cancelPatienceMs);
  if (state.ended.has(fence)) return [];
  // Never taken up: nothing ran, and nothing will.
  remember(state, fence);
  return [{ kind: "report", report: { ...nothingDone(fence, 0), why: "cancelled" } }];
}

/** AGENT-1: a wind-down first, so that the epoch under way can end; at the deadline the end, whatever runs. */
function watch(state: AgentState, held: Held, now: number): AgentEffect[] {
  if (held.phase === "reporting" || held.killed) return [];
  if (held.stopping === null) {
    // What stands still has no epoch to end.
    const still = held.suspended || held.phase === "ready";
    const windDown = still ? 0 : Math.min(windDownMaxMs, held.lease.horizonMs * windDownShare);
    return now >= held.deadline - windDown ? stop(state, held, "horizon", held.deadline) : [];
  }
  if (now < Math.min(held.stopping.killAt, held.deadline)) return [];
  if (held.phase === "fetching") return endUnstarted(state, held, held.stopping.why);
  return kill(held);
}
