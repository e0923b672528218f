/**
 * One job of the child runner, from its start to its last event: what it has come to, whether it stands still, and how
 * it is to end. Which child runs it, and what becomes of that child afterwards, is the pool's business.
 */
import { heldByTreeMiB } from "../../system/held-memory.ts";
import { overMemory } from "../../system/memory-limit.ts";
import type { BestFile, CheckpointFile, Job, RunnerEvent, StopHow } from "../runner/runner.ts";
import { steadyMs, Suspension } from "../runner/suspension.ts";
import type { FromChild } from "../runner/wire.ts";
import { canSuspend, type Child, type ChildEnd } from "./child-process.ts";

type Ending =
  | { readonly kind: "none" | "asked" | "killed" }
  /** What it held when it was found to hold too much, MiB. */
  | { readonly kind: "over-memory"; readonly heldMiB: number };

/** A job of this process that stands still: what it waits for, and what lets it go on. */
type Rest = ReturnType<typeof Promise.withResolvers<void>>;

/**
 * Its ending decides what the end of its process means:
 *
 * | ending      | what it does                           | its process's end means      | what moves it on                      |
 * | ----------- | -------------------------------------- | ---------------------------- | ------------------------------------- |
 * | none        | trains, or stands still                | failed, to be tried again    | `stop`: asked or killed; a look at    |
 * |             |                                        |                              | its memory: over-memory               |
 * | asked       | ends by itself after the epoch under   | failed, to be tried again    | `stop` by kill: killed; a look at its |
 * |             | way, and tells so; suspension is over  |                              | memory: over-memory                   |
 * | over-memory | nothing: its process is killed         | failed, everywhere           | `stop` by kill: killed                |
 * | killed      | nothing: its process is killed         | stopped, at the last whole   | nothing                               |
 * |             |                                        | checkpoint                   |                                       |
 *
 * A job of the agent's own process cannot be killed: both ways to stop ask it. An event that ends it, told by the child
 * itself, counts in every state.
 */
export class ChildRun {
  readonly job: Job;
  /** Null while the job runs in this process. */
  readonly child: Child | null;
  #ending: Ending = { kind: "none" };
  #resource: number;
  #metrics: Readonly<Record<string, number>> = {};
  #file: CheckpointFile | null = null;
  #best: BestFile | undefined;
  #usedMs = 0;
  /** When `#usedMs` was true, `steadyMs`; null before the job began to train. */
  #usedAt: number | null = null;
  readonly #suspension = new Suspension();
  #rest: Rest | null = null;

  constructor(job: Job, child: Child | null) {
    this.job = job;
    this.child = child;
    this.#resource = job.fromResource;
  }

  get stopAsked(): boolean {
    return this.#ending.kind !== "none";
  }

  /** Where it has no process of its own: what it waits for before its next epoch. */
  get rest(): Promise<void> | null {
    return this.#rest?.promise ?? null;
  }

  /** What it told, as a runner's event: time in which it stood still is not used. */
  hear(told: FromChild): RunnerEvent {
    const event = this.#withoutSuspension(told);
    if (event.kind === "started" || event.kind === "epoch" || event.kind === "checkpoint") {
      this.#usedMs = event.usedMs;
      this.#usedAt = steadyMs();
    }
    if (event.kind === "epoch" || event.kind === "checkpoint") {
      this.#resource = event.resource;
      this.#metrics = event.metrics;
    }
    if (event.kind === "checkpoint") {
      this.#file = { path: event.path, digest: event.digest, bytes: event.bytes };
      this.#best = event.best;
    }
    return event;
  }

  stop(how: StopHow): void {
    if (how === "kill" && this.child !== null) {
      this.#ending = { kind: "killed" };
      this.child.kill();
      return;
    }
    if (this.#ending.kind === "none") this.#ending = { kind: "asked" };
    this.child?.askToStop(this.job.fence);
    this.resume();
  }

  suspend(): void {
    if (!canSuspend || this.#suspension.now) return;
    this.child?.suspend();
    this.#suspension.begin(steadyMs());
    if (this.child === null) this.#rest = Promise.withResolvers<void>();
  }

  resume(): void {
    if (!this.#suspension.now) return;
    this.#suspension.end(steadyMs());
    this.child?.resume();
    this.#rest?.resolve();
    this.#rest = null;
  }

  /** A job that computes without a pause cannot look at itself. */
  lookAtMemory(): void {
    const pid = this.child?.pid ?? null;
    if (this.child === null || pid === null || this.#suspension.now) return;
    const held = heldByTreeMiB(pid);
    if (held === null || held <= this.job.memoryMiB) return;
    if (this.#ending.kind !== "killed") this.#ending = { kind: "over-memory", heldMiB: held };
    this.child.kill();
  }

  /** What it means that its process has ended before it told of an end. */
  endOf(end: ChildEnd): RunnerEvent {
    const { fence, memoryMiB, trial } = this.job;
    const usedMs = this.#usedMs + this.#sinceTold();
    const failed = (reason: string, retryable: boolean) =>
      ({ kind: "failed", fence, reason, retryable, usedMs }) as const;
    if (this.#ending.kind === "killed") {
      const kept = this.#file ?? { path: null, digest: null, bytes: 0 };
      return {
        kind: "stopped",
        fence,
        resource: this.#resource,
        metrics: this.#metrics,
        usedMs,
        ...kept,
        best: this.#best,
      };
    }
    if (this.#ending.kind === "over-memory")
      return failed(overMemory(trial, this.#ending.heldMiB, memoryMiB), false);
    if (end.outOfMemory)
      return failed(
        `trial ${trial} needed more than the ${memoryMiB} MiB of memory it may hold; fewer buckets or a smaller width need less`,
        false,
      );
    return failed(`the process of trial ${trial} ended early (${end.how})`, true);
  }

  /** Ms it was at work since it last told what it had used. */
  #sinceTold(): number {
    if (this.#usedAt === null) return 0;
    return this.#suspension.awake({ from: this.#usedAt, to: steadyMs() });
  }

  /** The child's clock ran on while it stood still: what of that fell into its work is not used time. */
  #withoutSuspension(told: FromChild): RunnerEvent {
    if (told.kind === "log" || told.kind === "point" || told.kind === "serving") return told;
    const { worked, ...event } = told;
    return { ...event, usedMs: Math.max(this.#usedMs, told.usedMs - this.#suspension.worked(worked)) };
  }
}
