/**
 * The runner of real machines: one warm child process per slot, kept between trials of one backend and
 * memory limit, ended after a failure or so many trials. Tasks that cost nothing run in this process.
 * It does not restart what failed: whether to try again is the coordinator's question.
 */
import { availableParallelism } from "node:os";
import { baseEnvironment } from "../program/program-environment.ts";
import { heldMiB } from "../../system/held-memory.ts";
import { memoryLookMs, overMemory } from "../../system/memory-limit.ts";
import { SlotTable } from "../runner/slot-table.ts";
import type { CheckpointFile, Job, Runner, RunnerEvent, StopHow } from "../runner/runner.ts";
import { runJob } from "./run-job.ts";
import { canSuspend, startChild, type Child, type ChildEnd } from "./child-process.ts";
import { steadyMs, Suspension } from "../runner/suspension.ts";
import type { FromChild } from "../runner/wire.ts";

export interface ChildRunnerOptions {
  /** Idle children kept warm at most. */
  readonly slots: number;
  /** Trials after which a child is ended, so that what leaks in it does not add up. */
  readonly trialsPerChild?: number;
  /** Whose threads and GPU a child uses; left out: this machine's cores shared among the slots, and no GPU. */
  readonly slotTable?: SlotTable;
  /** The agent's own environment; code of requesters gets little of it. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

interface Running {
  readonly job: Job;
  /** Null while the job runs in this process. */
  readonly child: Child | null;
  stopAsked: boolean;
  killed: boolean;
  resource: number;
  metrics: Readonly<Record<string, number>>;
  file: CheckpointFile | null;
  /** What it held when it was found to hold too much, MiB. */
  overMemory: number | null;
  usedMs: number;
  /** When `usedMs` was true, `steadyMs`; null before the job began to train. */
  usedAt: number | null;
  readonly suspension: Suspension;
  /** Lets a job of this process go on. */
  wake: (() => void) | null;
  rest: Promise<void> | null;
}

const trialsPerChildDefault = 200;
/** A warm child that has come to hold so much more than after its first job is ended. */
const growthMaxMiB = 512;

export function childRunner(options: ChildRunnerOptions): Runner {
  const trialsPerChild = options.trialsPerChild ?? trialsPerChildDefault;
  const listeners: ((event: RunnerEvent) => void)[] = [];
  const running = new Map<number, Running>();
  const children = new Set<Child>();
  const slotTable =
    options.slotTable ?? new SlotTable(options.slots, { cores: availableParallelism(), gpus: 0 });
  const environment = options.environment ?? process.env;
  let closed = false;

  // A job that computes without a pause cannot look at itself.
  const look = setInterval(() => {
    for (const run of running.values()) {
      const pid = run.child?.pid ?? null;
      if (run.child === null || pid === null || run.suspension.now) continue;
      const held = heldMiB(pid);
      if (held === null || held <= run.job.memoryMiB) continue;
      run.overMemory = held;
      run.child.kill();
    }
  }, memoryLookMs);
  look.unref();

  const emit = (event: RunnerEvent): void => {
    if (!closed) for (const listener of listeners) listener(event);
  };

  const settle = (run: Running, event: RunnerEvent): void => {
    running.delete(run.job.fence);
    const { child } = run;
    if (child !== null) {
      child.fence = null;
      const keep = event.kind === "finished" || event.kind === "stopped";
      const idle = [...children].filter((other) => other.fence === null).length;
      if (!keep || child.trials >= trialsPerChild || idle > options.slots || hasGrown(child)) retire(child);
    }
    emit(event);
  };

  const forget = (child: Child): void => {
    if (children.delete(child)) slotTable.free(child.slot);
  };

  const retire = (child: Child): void => {
    forget(child);
    child.end();
  };

  const onEvent = (run: Running, told: FromChild): void => {
    if (running.get(run.job.fence) !== run) return;
    const event = withoutSuspension(run, told);
    if (event.kind === "finished" || event.kind === "stopped" || event.kind === "failed") {
      settle(run, event);
      return;
    }
    if (event.kind === "started") run.usedAt = steadyMs();
    if (event.kind === "epoch" || event.kind === "checkpoint") {
      run.usedMs = event.usedMs;
      run.usedAt = steadyMs();
      run.resource = event.resource;
      run.metrics = event.metrics;
    }
    if (event.kind === "checkpoint")
      run.file = { path: event.path, digest: event.digest, bytes: event.bytes };
    emit(event);
  };

  const onEnd = (child: Child, end: ChildEnd): void => {
    forget(child);
    const run = [...running.values()].find((candidate) => candidate.child === child);
    if (run === undefined) return;
    const { fence, trial } = run.job;
    const since = run.usedAt === null ? 0 : run.suspension.awake({ from: run.usedAt, to: steadyMs() });
    const usedMs = run.usedMs + since;
    if (run.killed) {
      const kept = run.file ?? { path: null, digest: null, bytes: 0 };
      settle(run, { kind: "stopped", fence, resource: run.resource, metrics: run.metrics, usedMs, ...kept });
    } else if (run.overMemory !== null) {
      const reason = overMemory(trial, run.overMemory, run.job.memoryMiB);
      settle(run, { kind: "failed", fence, reason, retryable: false, usedMs });
    } else if (end.outOfMemory) {
      const reason = `trial ${trial} needed more than the ${run.job.memoryMiB} MiB of memory it may hold; fewer buckets or a smaller width need less`;
      settle(run, { kind: "failed", fence, reason, retryable: false, usedMs });
    } else {
      settle(run, {
        kind: "failed",
        fence,
        reason: `the process of trial ${trial} ended early (${end.how})`,
        retryable: true,
        usedMs,
      });
    }
  };

  const childFor = (job: Job): Child => {
    const idle = [...children].filter((child) => child.fence === null);
    const kind = kindOf(job);
    const warm = idle.find((child) => child.kind === kind);
    if (warm !== undefined) return warm;
    const cold = idle[0];
    if (cold !== undefined && children.size >= options.slots) retire(cold);
    const slot = slotTable.take();
    const base = job.program === null ? environment : codeEnvironment(environment);
    const made: Child = startChild({
      kind,
      slot,
      memoryMiB: job.memoryMiB,
      environment: { ...base, ...slotTable.environment(slot) },
      onEvent: (event) => {
        const run = running.get(event.fence);
        if (run?.child === made) onEvent(run, event);
      },
      onEnd: (end) => onEnd(made, end),
    });
    children.add(made);
    return made;
  };

  return {
    start: (job, kept) => {
      if (closed) return;
      const fresh = {
        job,
        stopAsked: false,
        killed: false,
        resource: job.fromResource,
        metrics: {},
        file: null,
        overMemory: null,
        usedMs: 0,
        usedAt: null,
        suspension: new Suspension(),
        wake: null,
        rest: null,
      };
      if (runsHere(job)) {
        const run: Running = { ...fresh, child: null };
        running.set(job.fence, run);
        void runJob(job, {
          emit: (event) => onEvent(run, event),
          stopping: () => run.stopAsked,
          awake: () => run.rest,
          ownProcess: false,
          kept,
        });
        return;
      }
      const child = childFor(job);
      running.set(job.fence, { ...fresh, child });
      child.run(job);
    },
    stop: (fence, how: StopHow) => {
      const run = running.get(fence);
      if (run === undefined) return;
      run.stopAsked = true;
      if (run.child === null) {
        resume(run);
        return;
      }
      if (how === "checkpoint") {
        run.child.askToStop(fence);
        resume(run);
      } else {
        run.killed = true;
        run.child.kill();
      }
    },
    suspend: (fence) => {
      const run = running.get(fence);
      if (!canSuspend || run === undefined || run.suspension.now) return;
      run.child?.suspend();
      run.suspension.begin(steadyMs());
      if (run.child === null) {
        const { promise, resolve } = Promise.withResolvers<void>();
        run.rest = promise;
        run.wake = resolve;
      }
    },
    resume: (fence) => {
      const run = running.get(fence);
      if (run !== undefined) resume(run);
    },
    canSuspend,
    processes: () => [...children].flatMap(({ pid }) => (pid === null ? [] : [pid])),
    onEvent: (listener) => {
      listeners.push(listener);
    },
    close: async () => {
      closed = true;
      clearInterval(look);
      for (const run of running.values()) {
        run.stopAsked = true;
        if (run.child === null) resume(run);
      }
      running.clear();
      const ends = [...children].map((child) => child.ended);
      for (const child of children) child.kill();
      children.clear();
      await Promise.all(ends);
    },
  };
}

function resume(run: Running): void {
  if (!run.suspension.now) return;
  run.suspension.end(steadyMs());
  run.child?.resume();
  run.wake?.();
  run.rest = null;
  run.wake = null;
}

/** The child's clock ran on while it stood still: what of that fell into its work is not used time. */
function withoutSuspension(run: Running, told: FromChild): RunnerEvent {
  const { suspension } = run;
  if (told.kind === "started") {
    suspension.worked(told.worked);
    return { kind: "started", fence: told.fence, exact: told.exact };
  }
  if (told.kind === "log" || told.kind === "point") return told;
  if (told.kind !== "epoch")
    return { ...told, usedMs: Math.max(run.usedMs, told.usedMs - suspension.within) };
  const { worked, ...event } = told;
  return { ...event, usedMs: Math.max(run.usedMs, told.usedMs - suspension.worked(worked)) };
}

/** What a child must be alike in to take the job after another. */
function kindOf({ backend, memoryMiB, program }: Job): string {
  return `${backend} ${memoryMiB} ${program?.bundle ?? ""}`;
}

/** A requester's code gets what programs get, and where TensorFlow is kept. */
function codeEnvironment(own: Readonly<Record<string, string | undefined>>) {
  return { ...baseEnvironment(own), TRIALMESH_RUNTIME: own["TRIALMESH_RUNTIME"] };
}

function hasGrown(child: Child): boolean {
  const held = child.pid === null ? null : heldMiB(child.pid);
  if (held === null) return false;
  child.firstHeldMiB ??= held;
  return held > child.firstHeldMiB + growthMaxMiB;
}

/** A task that costs nothing needs no process of its own. */
function runsHere(job: Job): boolean {
  return job.task === "noop" && (job.params["milliseconds"] ?? 0) === 0;
}
